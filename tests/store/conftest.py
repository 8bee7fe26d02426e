"""A clock that tests move, a client and an admin, and a subscription to webhooks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from corral.admin.admin import Admin
from corral.client.client import Client
from corral.store.database import Database
from corral.store.webhook_subscriptions import Subscription, WebhookSubscriptions


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
async def client(redis_url: str, prefix: str) -> AsyncIterator[Client]:
    """A client on the test's prefix."""
    async with Client(redis_url, prefix=prefix) as client:
        yield client


@pytest.fixture
async def admin(redis_url: str, prefix: str) -> AsyncIterator[Admin]:
    """An admin on the test's prefix."""
    async with Admin(redis_url, prefix=prefix) as admin:
        yield admin


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
