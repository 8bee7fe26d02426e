"""The breaker of a subscription to webhooks, which all workers share."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from corral.errors import SubscriptionGone
from corral.store.database import Database
from corral.store.webhook_breaker import OPENS_AFTER, BreakerChange, WebhookBreaker
from corral.store.webhook_subscriptions import Subscription, WebhookSubscriptions
from tests.store.conftest import Clock


@pytest.fixture
def breaker(database: Database, clock: Clock) -> WebhookBreaker:
    """The breakers, by the same clock."""
    return WebhookBreaker(database, clock=clock)


async def open_it(breaker: WebhookBreaker, subscription: Subscription) -> None:
    """Fail until the breaker opens."""
    done = [await breaker.settle(subscription.id, arrived=False) for _ in range(OPENS_AFTER)]
    assert done == [None] * (OPENS_AFTER - 1) + [BreakerChange.OPENED]


async def test_five_failures_in_a_row_open_it(
    breaker: WebhookBreaker, subscriptions: WebhookSubscriptions, one: Subscription
) -> None:
    """A success between them begins anew; open, it is disabled, and deliveries have to wait for the probe."""
    for _ in range(OPENS_AFTER - 1):
        await breaker.settle(one.id, arrived=False)
    assert await breaker.settle(one.id, arrived=True) is None
    assert (await subscriptions.get(one.id)).failures == 0
    await open_it(breaker, one)
    admission = await breaker.admit(one.id)
    assert (admission.wait, admission.is_probe) == (timedelta(minutes=1), False)
    assert not admission.subscription.enabled


async def test_one_that_is_gone(breaker: WebhookBreaker) -> None:
    """Nothing is admitted for a subscription that is not there, and nothing counted."""
    with pytest.raises(SubscriptionGone):
        await breaker.admit("none")
    assert await breaker.settle("none", arrived=False) is None


async def test_one_of_all_is_the_probe(breaker: WebhookBreaker, one: Subscription, clock: Clock) -> None:
    """When the time has come, one delivery of all workers is let through, and the others wait on. A probe that is never
    heard of again is followed by another after half a minute."""
    await open_it(breaker, one)
    clock.forward(minutes=1)
    for _ in range(2):
        asked = await asyncio.gather(*(breaker.admit(one.id) for _ in range(8)))
        assert sum(admission.is_probe for admission in asked) == 1
        assert all((admission.wait is None) == admission.is_probe for admission in asked)
        clock.forward(seconds=30)


async def test_a_probe_that_arrives_closes_it(
    breaker: WebhookBreaker, subscriptions: WebhookSubscriptions, one: Subscription, clock: Clock
) -> None:
    """The subscription is enabled again, and all go."""
    await open_it(breaker, one)
    clock.forward(minutes=1)
    assert (await breaker.admit(one.id)).is_probe
    assert await breaker.settle(one.id, arrived=True, is_probe=True) is BreakerChange.RESUMED
    resumed = await subscriptions.get(one.id)
    assert (resumed.enabled, resumed.failures, resumed.opened_at, resumed.disabled_reason) == (
        True,
        0,
        None,
        None,
    )


async def test_probes_come_less_and_less_often(
    breaker: WebhookBreaker, one: Subscription, clock: Clock
) -> None:
    """After one minute, two, four, up to an hour."""
    await open_it(breaker, one)
    waits = []
    for _ in range(8):
        admission = await breaker.admit(one.id)
        assert admission.wait
        waits.append(admission.wait.total_seconds() / 60)
        clock.forward(seconds=admission.wait.total_seconds())
        assert (await breaker.admit(one.id)).is_probe
        assert await breaker.settle(one.id, arrived=False, is_probe=True) is None
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


async def test_one_that_is_dead_is_given_up(
    database: Database, subscriptions: WebhookSubscriptions, one: Subscription, clock: Clock
) -> None:
    """When it has been open for five days, or for as long as was said, the next probe that fails is the last."""
    breaker = WebhookBreaker(database, clock=clock, give_up_after=timedelta(days=2))
    await open_it(breaker, one)
    for days, done in ((1, None), (1, BreakerChange.GIVEN_UP)):
        clock.forward(days=days)
        assert (await breaker.admit(one.id)).is_probe
        assert await breaker.settle(one.id, arrived=False, is_probe=True) is done
    admission = await breaker.admit(one.id)
    assert (admission.wait, admission.is_probe, admission.subscription.enabled) == (None, False, False)
    assert (await subscriptions.get(one.id)).disabled_reason == "it could not be reached for too long"
    assert (await subscriptions.enable(one.id)).failures == 0


async def test_what_was_under_way_is_not_counted(
    breaker: WebhookBreaker, one: Subscription, clock: Clock
) -> None:
    """Deliveries that had begun when the breaker opened put no probe off; a receiver that asked for time gets it."""
    await open_it(breaker, one)
    for _ in range(12):
        assert await breaker.settle(one.id, arrived=False) is None
    admission = await breaker.admit(one.id)
    assert admission.wait == timedelta(minutes=1)
    clock.forward(minutes=1)
    assert (await breaker.admit(one.id)).is_probe
    await breaker.settle(one.id, arrived=False, is_probe=True, retry_after=7200)
    assert (await breaker.admit(one.id)).wait == timedelta(hours=2)


async def test_an_operator_has_the_last_word(
    breaker: WebhookBreaker, subscriptions: WebhookSubscriptions, one: Subscription, clock: Clock
) -> None:
    """What was disabled for another reason is not probed, and not enabled by a delivery that arrives late."""
    await open_it(breaker, one)
    await subscriptions.disable(one.id, "not paid")
    clock.forward(days=1)
    admission = await breaker.admit(one.id)
    assert (admission.wait, admission.is_probe, admission.subscription.enabled) == (None, False, False)
    assert await breaker.settle(one.id, arrived=True) is None
    assert await breaker.settle(one.id, arrived=False) is None
    assert not (await subscriptions.get(one.id)).enabled
    enabled = await subscriptions.enable(one.id)
    assert (enabled.enabled, enabled.failures, enabled.disabled_reason) == (True, 0, None)
