"""Subscriptions: told of what they want, with a breaker, a record of each attempt, and replay."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from corral import Admin, Client, FailureKind, Job, JobFailed, JobHandle, JobState, Worker
from corral.store.database import Database
from corral.store.tables import WebhookSubscriptionRow
from corral.store.webhook_subscriptions import BreakerChange, Subscription
from corral.tasks.errors import InvalidKey, TargetRefused
from corral.tasks.webhooks import (
    Change,
    Delivered,
    Poster,
    RetrySchedule,
    Signing,
    SigningKey,
    VerifyingKey,
    Webhooks,
    WebhookTasks,
)
from tests.tasks.webhooks.receiver import Receiver

NO = b"HTTP/1.1 500 No\r\nContent-Length: 4\r\n\r\nbusy"
GONE = b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"
AT_ONCE = RetrySchedule((0,) * 20, jitter=0)


class Quick(WebhookTasks, queue="quick", attempts=21, backoff=AT_ONCE):
    """The same tasks, tried again at once."""


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


@asynccontextmanager
async def working(client: Client, webhooks: Webhooks) -> AsyncIterator[None]:
    """A worker that delivers, at once again after a failure."""
    async with Worker(webhooks.tasks(), client=client, concurrency=1):
        yield


async def told(client: Client, subscription: Subscription, number: int = 1) -> JobHandle[Delivered]:
    """Tell a subscription of something."""
    change = Change(
        subscription_id=subscription.id,
        action="update",
        resource="order",
        resource_id=str(number),
        data={"n": number},
    )
    return await Quick.send.enqueue(client, change)


async def failed(client: Client, handle: JobHandle[Delivered]) -> Job:
    """The job, once it has failed for good."""
    with pytest.raises(JobFailed):
        await handle.result(timeout=10)
    job = await client.queue("quick").get(handle.id)
    assert job
    return job


async def parked(client: Client, handle: JobHandle[Delivered]) -> Job:
    """The job, once it waits for a long time."""
    async with client.queue("quick").events(after="0-0") as events:
        async for event in events:
            job = await client.queue("quick").get(handle.id)
            if event.name == "delayed" and job and job.state is JobState.DELAYED and job.delay > 10_000:
                return job
    raise AssertionError("the events ended")


async def test_a_subscription_is_told(client: Client, webhooks: Webhooks, receiver: Receiver) -> None:
    """By default with RSA: the receiver checks with the public key. The attempt is recorded."""
    subscription = await webhooks.subscribe(receiver.url(), headers={"X-Shop": "1"})
    async with working(client, webhooks):
        handle = await told(client, subscription)
        await handle.result(timeout=10)
    (got,) = receiver.requests
    public = VerifyingKey(SigningKey(subscription.keys[0]).public.text)
    assert public.verifies(got.headers["x-webhook-signature"], got.body)
    assert got.headers["x-webhook-key-id"] == public.id
    assert json.loads(got.body) == {
        "id": handle.id, "type": "order.update", "action": "update", "resource": "order", "resourceId": "1",
        "data": {"n": 1},
    }  # fmt: skip
    (event,) = (await webhooks.events.page(subscription.id)).events
    assert (event.status, event.error, event.attempt, event.job_id) == (204, None, 1, handle.id)


async def test_who_wants_it_is_told(client: Client, webhooks: Webhooks, receiver: Receiver) -> None:
    """An announcement is a job for each subscription whose patterns it fits."""
    all_ = await webhooks.subscribe(receiver.url("/all"))
    orders = await webhooks.subscribe(receiver.url("/orders"), events=["order.*"], signing=Signing.STANDARD)
    await webhooks.subscribe(receiver.url("/users"), events=["user.*"])
    handles = await webhooks.announce(client, action="delete", resource="order", resource_id="17")
    async with Worker(webhooks.tasks(), client=client):
        for handle in handles:
            await handle.result(timeout=10)
    assert {got.path for got in receiver.requests} == {"/all", "/orders"}
    assert len(handles) == 2
    assert all_.signing == "rsa-sha256"
    assert orders.keys[0].startswith("whsec_")

    async def again() -> list[str]:
        told = await webhooks.announce(
            client, action="update", resource="order", resource_id="1", event_id="e"
        )
        return [handle.id for handle in told]

    assert await again() == await again() == [f"e-{all_.id}", f"e-{orders.id}"]
    await webhooks.subscriptions.disable(all_.id, "not paid")
    assert await again() == [f"e-{orders.id}"]


async def test_five_failures_park_what_follows(
    client: Client,
    admin: Admin,
    webhooks: Webhooks,
    database: Database,
    receiver: Receiver,
    changes: list[tuple[str, BreakerChange]],
) -> None:
    """The breaker opens: the subscription is disabled, the job and those behind it wait, no attempt is spent, and the
    receiver has peace. When the probe arrives, all is well again."""
    subscription = await webhooks.subscribe(receiver.url(), signing=Signing.HMAC)
    receiver.answers = [NO] * 5
    async with working(client, webhooks):
        handles = []
        for spent in (5, 0):
            handles.append(await told(client, subscription))
            job = await parked(client, handles[-1])
            assert (job.attempts_made, job.delay >= 50_000) == (spent, True)
        assert len(receiver.requests) == 5
        assert changes == [(subscription.id, BreakerChange.OPENED)]
        async with database.writing() as session:
            await session.execute(update(WebhookSubscriptionRow).values(probe_at=datetime.now(UTC)))
        await admin.queue("quick").jobs.promote(handles[0].id)
        assert (await handles[0].result(timeout=10)).status == 204
        assert changes[1:] == [(subscription.id, BreakerChange.RESUMED)]
        await admin.queue("quick").jobs.promote_all()
        assert [(await handle.result(timeout=10)).status for handle in handles] == [204, 204]
    events = (await webhooks.events.page(subscription.id)).events
    assert [(event.status, event.response) for event in events] == [(204, "")] * 2 + [(500, "busy")] * 5


async def test_gone_disables(client: Client, webhooks: Webhooks, receiver: Receiver) -> None:
    """A 410 fails the job for good, and nothing is sent any more until somebody enables the subscription."""
    subscription = await webhooks.subscribe(receiver.url(), signing=Signing.HMAC)
    receiver.answers = [GONE]
    async with working(client, webhooks):
        job = await failed(client, await told(client, subscription))
        assert (job.failure_kind, job.attempts_made) == (FailureKind.PERMANENT, 1)
        job = await failed(client, await told(client, subscription, 2))
        assert "the subscription is disabled: the receiver answered 410" in str(job.failed_reason)
        assert len(receiver.requests) == 1
        await webhooks.subscriptions.enable(subscription.id)
        await (await told(client, subscription, 3)).result(timeout=10)
    events = (await webhooks.events.page(subscription.id)).events
    assert [event.status for event in events] == [204, 410]


async def test_an_attempt_is_replayed(client: Client, webhooks: Webhooks, receiver: Receiver) -> None:
    """What an attempt was to tell is told again, as a message of its own."""
    subscription = await webhooks.subscribe(receiver.url(), signing=Signing.HMAC)
    async with working(client, webhooks):
        first = await told(client, subscription)
        await first.result(timeout=10)
        (event,) = (await webhooks.events.page(subscription.id)).events
        again = await webhooks.replay(client, event.id)
        assert again
        await again.result(timeout=10)
    bodies = [json.loads(got.body) for got in receiver.requests]
    assert [body.pop("id") for body in bodies] == [first.id, again.id]
    assert bodies[0] == bodies[1]
    assert await webhooks.replay(client, event.id + 100) is None


async def test_what_cannot_be_sent_fails_for_good_and_is_kept(
    client: Client, webhooks: Webhooks, receiver: Receiver
) -> None:
    """A key that no longer fits, a payload that is no text: one attempt, with a row; a host that is no name is refused
    when the subscription is made."""
    with pytest.raises(TargetRefused):
        await webhooks.subscribe("https://a..example/")
    subscription = await webhooks.subscribe(receiver.url(), signing=Signing.HMAC)
    with pytest.raises(TargetRefused):
        await webhooks.change(subscription.id, url="http://10.0.0.1/")
    await webhooks.subscriptions.change(subscription.id, keys=["short"])
    async with working(client, webhooks):
        job = await failed(client, await told(client, subscription))
    assert (job.failure_kind, job.attempts_made) == (FailureKind.PERMANENT, 1)
    (event,) = (await webhooks.events.page(subscription.id)).events
    assert "this key cannot be used" in str(event.error)


async def test_unknown_subscriptions_fail_for_good(client: Client, webhooks: Webhooks) -> None:
    """What was deleted meanwhile, or never made, is permanent."""
    unknown = Change(subscription_id="none", action="update", resource_id="1")
    async with working(client, webhooks):
        job = await failed(client, await Quick.send.enqueue(client, unknown))
    assert (job.failure_kind, job.attempts_made) == (FailureKind.PERMANENT, 1)


@pytest.mark.parametrize("url", ["http://10.0.0.1/", "ftp://example.org/", "nothing"])
async def test_a_bad_subscription_is_refused(webhooks: Webhooks, url: str) -> None:
    """A URL that may not be delivered to, a header that cannot be sent, a key that does not fit: when it is made."""
    with pytest.raises(TargetRefused):
        await webhooks.subscribe(url)
    with pytest.raises(TargetRefused):
        await webhooks.subscribe("http://127.0.0.1/", headers={"Host": "x"})
    with pytest.raises(InvalidKey):
        await webhooks.subscribe(
            "http://127.0.0.1/", signing=Signing.STANDARD, key=SigningKey.generate("rsa")
        )
    assert not await webhooks.subscriptions.list()
