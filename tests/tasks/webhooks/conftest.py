"""A receiver, an egress that may reach it, and webhooks that do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from ipaddress import ip_network

import pytest

from corral.store.database import Database
from corral.store.webhook_breaker import BreakerChange
from corral.store.webhook_subscriptions import Subscription
from corral.tasks.webhooks import Egress, Poster, Webhooks
from tests.tasks.webhooks.receiver import Receiver, receiving
from tests.tasks.webhooks.subscribed import Quick

HERE = Egress(schemes=frozenset({"http", "https"}), ports=frozenset(), networks=[ip_network("127.0.0.0/8")])


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver on this machine."""
    async with receiving() as made:
        yield made


@pytest.fixture
async def poster() -> AsyncIterator[Poster]:
    """A poster that may reach this machine, and waits no longer than a second."""
    async with Poster(HERE, timeout=1) as made:
        yield made


@pytest.fixture
def changes() -> list[tuple[str, BreakerChange]]:
    """What breakers did."""
    return []


@pytest.fixture
def webhooks(database: Database, poster: Poster, changes: list[tuple[str, BreakerChange]]) -> Webhooks:
    """Webhooks that may reach this machine."""

    async def on_change(subscription: Subscription, change: BreakerChange) -> None:
        assert subscription.enabled is (change is BreakerChange.RESUMED)
        changes.append((subscription.id, change))
        raise RuntimeError("nobody is there to be told")  # and the delivery is what it was

    return Webhooks(database=database, poster=poster, tasks=Quick, on_change=on_change)
