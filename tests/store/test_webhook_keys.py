"""The signing keys of subscriptions: the newest first, and old ones for as long as they overlap."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from corral.errors import SubscriptionGone, TooManyKeys
from corral.store.database import Database
from corral.store.tables import WebhookKeyRow
from corral.store.webhook_keys import WebhookKeys
from corral.store.webhook_subscriptions import Subscription, WebhookSubscriptions
from tests.store.conftest import Clock


@pytest.fixture
def keys(database: Database, clock: Clock) -> WebhookKeys:
    """Keys by a clock that tests move."""
    return WebhookKeys(database, clock=clock)


@pytest.fixture
async def one(database: Database) -> Subscription:
    """A subscription with two keys."""
    made = WebhookSubscriptions(database)
    return await made.create("https://shop.example/", signing="standard", keys=["second", "first"])


async def kept(database: Database) -> int:
    """How many keys there are, in force or not."""
    async with database.reading() as session:
        return await session.scalar(select(func.count()).select_from(WebhookKeyRow)) or 0


async def test_a_new_key_takes_the_place_of_the_old_one(
    keys: WebhookKeys, one: Subscription, clock: Clock, database: Database
) -> None:
    """For the time of the overlap both are in force; then the old one is dropped by itself, and gone when somebody has
    looked."""
    assert await keys.of(one.id) == ["second", "first"]
    await keys.rotate(one.id, "third", overlap=timedelta(hours=2))
    clock.forward(hours=1)
    await keys.rotate(one.id, "fourth", overlap=timedelta(hours=3))
    assert await keys.of(one.id) == ["fourth", "third", "second", "first"]
    clock.forward(hours=1)
    assert [text async for text in keys.in_force()] == ["third", "fourth"]
    assert await keys.of(one.id) == ["fourth", "third"]
    assert await kept(database) == 2
    clock.forward(hours=2)
    assert await keys.of(one.id) == ["fourth"]


async def test_ten_keys_are_in_force_at_most(keys: WebhookKeys, one: Subscription, clock: Clock) -> None:
    """One more is refused, and nothing changed, until the time of one is over, or all others end at once."""
    for number in range(8):
        await keys.rotate(one.id, str(number), overlap=timedelta(hours=1 + number))
    for _ in range(2):
        with pytest.raises(TooManyKeys, match="shorter overlap"):
            await keys.rotate(one.id, "more", overlap=timedelta(hours=1))
    assert len(await keys.of(one.id)) == 10
    clock.forward(hours=1)
    await keys.rotate(one.id, "more", overlap=timedelta(hours=1))
    await keys.rotate(one.id, "alone", overlap=timedelta(0))
    assert await keys.of(one.id) == ["alone"]


async def test_a_key_is_replaced_at_once(keys: WebhookKeys, one: Subscription) -> None:
    """Without an overlap."""
    await keys.rotate(one.id, "third", overlap=timedelta(0))
    assert await keys.of(one.id) == ["third"]


async def test_keys_go_with_their_subscription(
    keys: WebhookKeys, one: Subscription, database: Database
) -> None:
    """None is left behind, and one that is not there has none."""
    await WebhookSubscriptions(database).delete(one.id)
    assert await kept(database) == 0
    for subscription_id in (one.id, "\0"):
        with pytest.raises(SubscriptionGone):
            await keys.of(subscription_id)
        with pytest.raises(SubscriptionGone):
            await keys.rotate(subscription_id, "key", overlap=timedelta(1))
