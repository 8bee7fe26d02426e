"""Replays: of what one attempt was to tell, and of what a subscription was told in a stretch of time."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from corral import Client, FailureKind, JobFailed
from corral.tasks.webhooks import Change, Replay, Replayed, Signing, Webhooks
from tests.tasks.webhooks.receiver import Receiver
from tests.tasks.webhooks.subscribed import GONE, NO, Quick, failed, told, working


async def test_an_attempt_is_replayed(client: Client, webhooks: Webhooks, receiver: Receiver) -> None:
    """What an attempt was to tell is told again, by a job of its own; the receiver knows it by the id that it had."""
    subscription = await webhooks.subscribe(receiver.url(), signing=Signing.HMAC)
    async with working(client, webhooks):
        first = await told(client, subscription)
        await first.result(timeout=10)
        (event,) = (await webhooks.events.page(subscription.id)).events
        again = await webhooks.replay(client, event.id)
        assert again
        await again.result(timeout=10)
    bodies = [json.loads(got.body) for got in receiver.requests]
    assert bodies[0] == bodies[1]
    assert bodies[0]["id"] == first.id != again.id
    assert await webhooks.replay(client, event.id + 100) is None


def ids(receiver: Receiver) -> list[str]:
    """The ids of what a receiver was told."""
    return [json.loads(got.body)["id"] for got in receiver.requests]


async def test_what_failed_is_replayed(client: Client, webhooks: Webhooks, receiver: Receiver) -> None:
    """Of a stretch of time, each event once however many attempts it had, under the id that it had. What has arrived by
    then is not failed any more, so that the next replay has nothing to do."""
    began = datetime.now(UTC)
    subscription = await webhooks.subscribe(receiver.url(), signing=Signing.HMAC)
    receiver.answers = [NO, NO, GONE]
    async with working(client, webhooks):
        lost = await told(client, subscription)
        await failed(client, lost)
        await webhooks.subscriptions.enable(subscription.id)
        fine = await told(client, subscription, 2)
        await fine.result(timeout=10)
        assert ids(receiver) == [lost.id] * 3 + [fine.id]

        async def replayed(failed: bool = True) -> Replayed:
            receiver.requests.clear()
            handle = await webhooks.replay_range(client, subscription.id, since=began, failed=failed)
            result = await handle.result(timeout=10)
            job = await client.queue("quick").get(handle.id)
            assert job
            assert job.progress == ({"replayed": result.count, "of": result.count} if result.count else None)
            jobs = await client.queue("quick").jobs("completed") + await client.queue("quick").jobs("waiting")
            jobs += await client.queue("quick").jobs("active")
            for again in {job.id for job in jobs if job.id.startswith(f"{handle.id}-")}:
                assert (await client.queue("quick").job(again).result(timeout=10))["status"] == 204
            return result

        assert (await replayed()).count == 1
        assert ids(receiver) == [lost.id]
        assert (await replayed()).count == 0
        assert (await replayed(failed=False)).count == 2
        assert sorted(ids(receiver)) == sorted([lost.id, fine.id])


async def test_a_replay_that_runs_again_adds_nothing(
    client: Client, webhooks: Webhooks, receiver: Receiver
) -> None:
    """A run that was cut off is begun anew, and what it has told already is not told once more."""
    subscription = await webhooks.subscribe(receiver.url(), signing=Signing.HMAC)
    began = datetime.now(UTC)
    async with working(client, webhooks):
        change = Change(subscription_id=subscription.id, action="update", resource_id="1")
        await (await Quick.send.enqueue(client, change, job_id=f"order.{'7' * 190}")).result(timeout=10)
        until = datetime.now(UTC) + timedelta(seconds=1)
        replay = Replay(subscription_id=subscription.id, since=began, until=until, failed=False)
        for _ in range(2):
            handle = await Quick.replay.enqueue(client, replay, job_id="again")
            assert (await handle.result(timeout=10)).count == 1
            await handle.remove()
    assert sum((await client.queue("quick").counts()).values()) == 2


async def test_nothing_is_replayed_to_who_is_not_told(
    client: Client, webhooks: Webhooks, receiver: Receiver
) -> None:
    """A subscription that is disabled, or not there: one error, and not one for each event."""
    subscription = await webhooks.subscribe(receiver.url(), signing=Signing.HMAC)
    await webhooks.subscriptions.disable(subscription.id, "not paid")
    async with working(client, webhooks):
        for known, reason in ((subscription.id, "not paid. Enable it"), ("none", "no subscription")):
            handle = await webhooks.replay_range(client, known, since=datetime.now(UTC))
            with pytest.raises(JobFailed, match=reason):
                await handle.result(timeout=10)
            job = await client.queue("quick").get(handle.id)
            assert job
            assert (job.failure_kind, job.attempts_made) == (FailureKind.PERMANENT, 1)


async def test_a_replay_needs_times_with_a_zone(client: Client, webhooks: Webhooks) -> None:
    """Which time it is cannot be guessed."""
    with pytest.raises(ValidationError):
        await webhooks.replay_range(client, "s", since=datetime(2026, 1, 1))  # noqa: DTZ001 - the point
