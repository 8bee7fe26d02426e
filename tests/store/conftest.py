"""A clock that tests move, cron jobs, and a subscription to webhooks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from corral.store.cron_jobs import CronJobs
from corral.store.database import Database
from corral.store.webhook_subscriptions import Subscription, WebhookSubscriptions
from tests.store.tasks import MailTasks


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def forward(self, **time: float) -> None:
        """Let time pass."""
        self.now += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def subscriptions(database: Database, clock: Clock) -> WebhookSubscriptions:
    """Subscriptions by a clock that tests move."""
    return WebhookSubscriptions(database, clock=clock)


@pytest.fixture
async def one(subscriptions: WebhookSubscriptions) -> Subscription:
    """A subscription."""
    return await subscriptions.create(
        "https://shop.example/",
        signing="rsa-sha256",
        keys=["the key"],
        events=["order.*"],
        headers={"X-A": "1"},
    )


@pytest.fixture
def cron_jobs(database: Database) -> CronJobs:
    """Cron jobs of known tasks."""
    return CronJobs(database, MailTasks)
