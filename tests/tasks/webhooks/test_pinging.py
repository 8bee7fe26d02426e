"""Pings: a delivery that tells of nothing, to see whether one arrives."""

from __future__ import annotations

import json

import pytest

from corral import Client, FailureKind
from corral.errors import SubscriptionGone
from corral.tasks.webhooks import Ping, Signing, Webhooks
from tests.tasks.webhooks.receiver import Receiver
from tests.tasks.webhooks.subscribed import GONE, NO, Quick, failed, working


async def test_a_ping_arrives(client: Client, webhooks: Webhooks, receiver: Receiver) -> None:
    """Signed as all deliveries are, also for a subscription that is disabled. It is kept, and cannot be replayed."""
    subscription = await webhooks.subscribe(receiver.url(), signing=Signing.HMAC)
    await webhooks.subscriptions.disable(subscription.id, "not paid")
    async with working(client, webhooks):
        handle = await webhooks.ping(client, subscription.id)
        assert (await handle.result(timeout=10)).status == 204
    (got,) = receiver.requests
    assert json.loads(got.body) == {"id": handle.id, "type": "webhook.ping", "action": "ping"}
    (key,) = await webhooks.keys(subscription.id)
    assert key.public.verifies(got.headers["x-webhook-signature"], got.body)
    (event,) = (await webhooks.events.page(subscription.id)).events
    assert (event.status, event.event_id, event.job_id) == (204, None, handle.id)
    assert await webhooks.replay(client, event.id) is None
    assert await webhooks.subscriptions.get(subscription.id) == await webhooks.subscriptions.disable(
        subscription.id, "not paid"
    )


@pytest.mark.parametrize("answer", [NO, GONE])
async def test_a_ping_says_nothing_to_the_breaker(
    client: Client, webhooks: Webhooks, receiver: Receiver, answer: bytes
) -> None:
    """One attempt each, and the subscription is what it was, also after a 410."""
    subscription = await webhooks.subscribe(receiver.url(), signing=Signing.HMAC)
    receiver.answers = [answer] * 6
    async with working(client, webhooks):
        for _ in range(6):
            await failed(client, await webhooks.ping(client, subscription.id))
    assert len(receiver.requests) == 6
    assert await webhooks.subscriptions.get(subscription.id) == subscription
    assert len((await webhooks.events.page(subscription.id, failed=True)).events) == 6


async def test_nobody_is_pinged_at_once(client: Client, webhooks: Webhooks) -> None:
    """Whoever asks for it is told that there is no such subscription, and no job is made."""
    with pytest.raises(SubscriptionGone):
        await webhooks.ping(client, "nosuch")


async def test_a_ping_of_nobody_fails_for_good(client: Client, webhooks: Webhooks) -> None:
    """A subscription that is not there."""
    async with working(client, webhooks):
        job = await failed(client, await Quick.ping.enqueue(client, Ping(subscription_id="none"), attempts=3))
    assert (job.failure_kind, job.attempts_made) == (FailureKind.PERMANENT, 1)
