"""Deliveries through a queue and a worker, to a real receiver."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import standardwebhooks

from corral import Client, FailureKind, Job, JobFailed, Worker
from corral.tasks.webhooks import Delivery, Poster, Signing, SigningKey, Verifier, Webhooks, WebhookTasks
from tests.tasks.webhooks.conftest import HERE
from tests.tasks.webhooks.receiver import Receiver

SHOP = SigningKey("the shop's secret, as agreed")
STANDARD = (SigningKey.generate(), SigningKey.generate())
BACK = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.fixture
async def worker(client: Client, poster: Poster) -> AsyncIterator[Worker]:
    """A worker that delivers."""
    webhooks = Webhooks(keys={"shop": SHOP, "standard": STANDARD}, poster=poster)
    async with Worker(webhooks.tasks(), client=client) as worker:
        yield worker


async def failed(client: Client, delivery: Delivery, attempts: int = 10) -> Job:
    """A delivery, once it has failed for good."""
    handle = await WebhookTasks.deliver.enqueue(client, delivery, attempts=attempts)
    with pytest.raises(JobFailed):
        await handle.result(timeout=10)
    job = await client.queue("webhooks").get(handle.id)
    assert job
    return job


@pytest.mark.usefixtures("worker")
async def test_a_delivery_arrives_signed(client: Client, receiver: Receiver) -> None:
    """The receiver gets the payload as JSON, and its signature checks with the secret. The job knows the answer."""
    handle = await WebhookTasks.deliver.enqueue(
        client,
        Delivery(url=receiver.url(), key="shop", payload={"ü": [1]}, headers={"X-Shop": "1"}),
    )
    assert (await handle.result(timeout=10)).status == 204
    (got,) = receiver.requests
    assert (json.loads(got.body), got.headers["x-shop"]) == ({"ü": [1]}, "1")
    assert SHOP.public.verifies(got.headers["x-webhook-signature"], got.body)


async def test_a_worker_closes_what_deliveries_opened(client: Client, receiver: Receiver) -> None:
    """As its lifespan: when it has stopped, no thread that looks up names is left."""

    def threads() -> list[threading.Thread]:
        return [one for one in threading.enumerate() if one.name.startswith("corral-resolver")]

    before = set(threads())
    webhooks = Webhooks(keys={"shop": SHOP}, poster=Poster(HERE))
    async with Worker(webhooks.tasks(), client=client, lifespan=lambda: webhooks):
        delivery = Delivery(url=receiver.url(), key="shop", payload=1)
        await (await WebhookTasks.deliver.enqueue(client, delivery)).result(timeout=10)
        (made,) = set(threads()) - before
    await asyncio.to_thread(made.join, 10)
    assert not made.is_alive()


@pytest.mark.usefixtures("worker")
async def test_standard_webhooks(client: Client, receiver: Receiver) -> None:
    """Every key in force signs, and the id of the message is the job's."""
    handle = await WebhookTasks.deliver.enqueue(
        client,
        Delivery(url=receiver.url(), key="standard", payload={"n": 1}, signing=Signing.STANDARD),
    )
    await handle.result(timeout=10)
    (got,) = receiver.requests
    assert got.headers["webhook-id"] == handle.id
    for key in STANDARD:
        assert standardwebhooks.Webhook(key.text).verify(got.body, got.headers) == {"n": 1}


@pytest.mark.usefixtures("worker")
async def test_an_id_divides_nothing(client: Client, receiver: Receiver) -> None:
    """Whatever id a job was given can stand in a header, and has no dot, so that nobody reads the signed bytes as those
    of another id and another time."""
    delivery = Delivery(url=receiver.url(), key="standard", payload={"n": 1}, signing=Signing.STANDARD)
    handle = await WebhookTasks.deliver.enqueue(client, delivery, job_id="order.7 für:ada")
    await handle.result(timeout=10)
    (got,) = receiver.requests
    assert got.headers["webhook-id"] == "order%2E7%20f%C3%BCr:ada"
    Verifier([STANDARD[0].public]).check(got.headers, got.body)


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("status", [301, 400, 404, 500])
async def test_only_a_2xx_is_success(client: Client, receiver: Receiver, status: int) -> None:
    """Anything else fails the attempt; the last one fails the job, with the status in its reason."""
    receiver.answers = [f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode()]
    job = await failed(client, Delivery(url=receiver.url(), key="shop", payload=1), attempts=1)
    assert (job.failure_kind, len(receiver.requests)) == (FailureKind.EXHAUSTED, 1)
    assert f"it answered {status}" in str(job.failed_reason)


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"url": "file:///etc/passwd"}, "its scheme is not"),
        ({"url": "http://10.0.0.1/"}, "its address is not public"),
        ({"key": "other"}, "no key has the name 'other'"),
        ({"headers": {"Host": "x"}}, "header 'Host' cannot be sent"),
        ({"headers": {"X-A": "1\r\nX-B: 2"}}, "header 'X-A' cannot be sent"),
        ({"headers": {"webhook-id": "x"}}, "header 'webhook-id' cannot be sent"),
        ({}, "answered 410"),
    ],
)
async def test_what_can_never_work_fails_at_once(
    client: Client, receiver: Receiver, changes: dict[str, object], reason: str
) -> None:
    """A bad URL, a private address, a key that is not there, a header that would split the request, a receiver that is
    gone: permanent, after one attempt."""
    receiver.answers = [b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"]
    fields = {"url": receiver.url(), "key": "shop", "payload": 1} | changes
    job = await failed(client, Delivery.model_validate(fields))
    assert (job.failure_kind, job.attempts_made) == (FailureKind.PERMANENT, 1)
    assert reason in str(job.failed_reason)


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("asked", ["1800", "date"])
async def test_a_receiver_is_given_the_time_that_it_asks_for(
    client: Client, receiver: Receiver, asked: str
) -> None:
    """After a 429 with `Retry-After`, in seconds or as a date, the job waits that long, not the planned 5 s."""
    until = format_datetime(BACK + timedelta(minutes=30), usegmt=True) if asked == "date" else asked
    date = format_datetime(BACK, usegmt=True)
    receiver.answers = [
        f"HTTP/1.1 429 Wait\r\nDate: {date}\r\nRetry-After: {until}\r\nContent-Length: 0\r\n\r\n".encode()
    ]
    async with client.queue("webhooks").events() as events:
        handle = await WebhookTasks.deliver.enqueue(
            client, Delivery(url=receiver.url(), key="shop", payload=1)
        )
        async for event in events:
            if event.name == "delayed" and event.job_id == handle.id:
                break
    job = await client.queue("webhooks").get(handle.id)
    assert job
    assert 1_790_000 <= job.delay <= 1_990_000
