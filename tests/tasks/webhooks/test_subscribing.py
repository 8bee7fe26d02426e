"""Subscriptions: told of what they want, with a breaker and a record of each attempt."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from sqlalchemy import event, update

from corral import Admin, Client, FailureKind
from corral.errors import InvalidOption
from corral.store.database import Database
from corral.store.tables import WebhookSubscriptionRow
from corral.store.webhook_breaker import BreakerChange
from corral.store.webhook_keys import WebhookKeys
from corral.tasks.errors import InvalidKey, LookUpsBusy, TargetRefused
from corral.tasks.webhooks import Change, Poster, Signing, SigningKey, Webhooks, keys
from corral.tasks.webhooks.egress import Address
from tests.tasks.webhooks.conftest import HERE
from tests.tasks.webhooks.receiver import Receiver
from tests.tasks.webhooks.subscribed import GONE, NO, Quick, failed, parked, told, working


async def test_a_subscription_is_told(client: Client, webhooks: Webhooks, receiver: Receiver) -> None:
    """By default with RSA: the receiver checks with the public key. The attempt is recorded."""
    subscription = await webhooks.subscribe(receiver.url(), headers={"X-Shop": "1"})
    async with working(client, webhooks):
        handle = await told(client, subscription)
        await handle.result(timeout=10)
    (got,) = receiver.requests
    public = (await webhooks.keys(subscription.id))[0].public
    assert public.verifies(got.headers["x-webhook-signature"], got.body)
    assert got.headers["x-webhook-key-id"] == public.id
    assert json.loads(got.body) == {
        "id": handle.id, "type": "order.update", "action": "update", "resource": "order", "resourceId": "1",
        "data": {"n": 1},
    }  # fmt: skip
    (event,) = (await webhooks.events.page(subscription.id)).events
    assert (event.status, event.error, event.attempt, event.job_id) == (204, None, 1, handle.id)


async def test_the_loop_makes_no_rsa_key(
    webhooks: Webhooks, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Making one takes long: a thread does it, and the program goes on meanwhile. A new key is not checked by reading
    it: that takes long, too, and lets no thread run."""
    made, checked = list[threading.Thread](), list[bool]()
    generate, load = generate_private_key, serialization.load_pem_private_key

    def generating(**options: Any) -> Any:
        made.append(threading.current_thread())
        return generate(**options)

    def loading(*given: Any, unsafe_skip_rsa_key_validation: bool = False) -> Any:
        checked.append(not unsafe_skip_rsa_key_validation)
        return load(*given, unsafe_skip_rsa_key_validation=unsafe_skip_rsa_key_validation)

    monkeypatch.setattr(keys, "generate_private_key", generating)
    monkeypatch.setattr(serialization, "load_pem_private_key", loading)
    subscription = await webhooks.subscribe(receiver.url())
    await webhooks.rotate(subscription.id)
    assert len(made) == 2
    assert threading.current_thread() not in made
    assert not any(checked)


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


async def test_no_turn_for_a_look_up_is_nobodys_fault(client: Client, database: Database) -> None:
    """While others' name servers hold all look-ups, a job waits: no attempt is spent, kept, or counted."""

    async def busy(host: str, port: int) -> list[Address]:
        raise LookUpsBusy(host)

    async with Webhooks(database=database, poster=Poster(HERE, resolve=busy), tasks=Quick) as webhooks:
        subscription = await webhooks.subscribe("http://shop.example/")
        async with working(client, webhooks):
            job = await parked(client, await told(client, subscription))
    assert job.attempts_made == 0
    assert (await webhooks.subscriptions.get(subscription.id)).failures == 0
    assert not (await webhooks.events.page(subscription.id)).events


async def test_one_that_is_dead_for_long_is_given_up(
    client: Client,
    admin: Admin,
    webhooks: Webhooks,
    database: Database,
    receiver: Receiver,
    changes: list[tuple[str, BreakerChange]],
) -> None:
    """A probe that fails after the breaker was open for days disables the subscription, and jobs that wait fail for
    good when they wake."""
    subscription = await webhooks.subscribe(receiver.url(), signing=Signing.HMAC)
    receiver.answers = [NO] * 6
    now = datetime.now(UTC)
    opened = {"failures": 5, "enabled": False, "opened_at": now - timedelta(days=6), "probe_at": now}
    async with database.writing() as session:
        await session.execute(update(WebhookSubscriptionRow).values(opened))
    async with working(client, webhooks):
        job = await failed(client, await told(client, subscription))
    assert "the subscription is disabled: it could not be reached" in str(job.failed_reason)
    assert len(receiver.requests) == 1
    assert changes == [(subscription.id, BreakerChange.GIVEN_UP)]


async def test_keys_are_not_read_while_a_job_waits(
    client: Client, webhooks: Webhooks, database: Database, receiver: Receiver
) -> None:
    """Jobs that wait for the breaker ask for no keys, be they ever so many."""
    subscription = await webhooks.subscribe(receiver.url(), signing=Signing.HMAC)
    now = datetime.now(UTC)
    opened = {"enabled": False, "opened_at": now, "probe_at": now + timedelta(minutes=10)}
    async with database.writing() as session:
        await session.execute(update(WebhookSubscriptionRow).values(opened))
    asked: list[str] = []
    event.listen(database.engine.sync_engine, "before_cursor_execute", lambda *said: asked.append(said[2]))
    async with working(client, webhooks):
        await parked(client, await told(client, subscription))
    assert asked
    assert not [statement for statement in asked if "corral_webhook_keys" in statement]


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


async def test_what_cannot_be_sent_fails_for_good_and_is_kept(
    client: Client, webhooks: Webhooks, receiver: Receiver, database: Database
) -> None:
    """A key that no longer fits, a payload that is no text: one attempt, with a row; a host that is no name is refused
    when the subscription is made."""
    with pytest.raises(TargetRefused):
        await webhooks.subscribe("https://a..example/")
    subscription = await webhooks.subscribe(receiver.url(), signing=Signing.HMAC)
    with pytest.raises(TargetRefused):
        await webhooks.change(subscription.id, url="http://10.0.0.1/")
    await WebhookKeys(database).rotate(subscription.id, "short", overlap=timedelta(0))
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
    with pytest.raises(InvalidOption):
        await webhooks.subscribe("http://127.0.0.1/", owner="x" * 201)
    unknown: Any = "hmac"
    with pytest.raises(InvalidOption, match=r"Signing\.HMAC"):
        await webhooks.subscribe("http://127.0.0.1/", signing=unknown)
    assert not await webhooks.subscriptions.list()
