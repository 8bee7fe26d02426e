"""Jobs of other clients that are not what they should be: each fails with the reason, and the worker goes on."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import redis.asyncio
from pydantic import BaseModel

from corral import Client, Job, JobState, Queue, Worker
from corral.client.events import EventSubscription
from corral.client.queue import QueueClient


class Order(BaseModel):
    """What the task wants."""

    number: int
    city: str = ""


def tasks_of(queue_name: str) -> Queue:
    """One strict task, and one that takes anything."""
    tasks = Queue(queue_name)

    @tasks.task
    async def strict(order: Order) -> int:
        return order.number

    @tasks.task
    async def anything(value: Any) -> Any:
        return value

    return tasks


class Stranger:
    """Another client: it writes jobs as it likes."""

    def __init__(self, client: Any, base: str) -> None:
        self.client = client
        self.base = base

    async def add(self, job_id: str | bytes, fields: dict[str, Any]) -> None:
        """Put a job into line."""
        key = self.base.encode() + (job_id if isinstance(job_id, bytes) else job_id.encode())
        if fields:
            await self.client.hset(key, mapping=fields)
        await self.client.lpush(self.base + "wait", job_id)
        await self.client.zadd(self.base + "marker", {"0": 0})

    async def fields(self, job_id: str | bytes) -> dict[str, bytes]:
        """The hash, as bytes."""
        key = self.base.encode() + (job_id if isinstance(job_id, bytes) else job_id.encode())
        return {name.decode(): value for name, value in (await self.client.hgetall(key)).items()}


@pytest.fixture
async def stranger(home_url: str, prefix: str, queue_name: str) -> AsyncIterator[Stranger]:
    """Another client of the queue."""
    async with redis.asyncio.Redis.from_url(home_url) as client:
        yield Stranger(client, f"{prefix}:{queue_name}:")


async def ending(events: EventSubscription) -> str:
    """How the next job ends."""
    async for event in events:
        if event.name in ("completed", "failed"):
            return event.name
    raise AssertionError


GOOD = {"name": "strict", "data": '{"number":1}', "opts": "{}", "timestamp": "1700000000000", "delay": "0"}
DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"data": None}, "no data"),
        ({"data": ""}, "strict"),
        ({"data": "{"}, "strict"),
        ({"data": "NaN"}, "strict"),
        ({"data": '{"number":NaN}'}, "strict"),
        ({"data": '{"number":1e999}'}, "number"),
        ({"data": '{"number":"seven"}'}, "number"),
        ({"data": '{"number":1,"number":2}'}, "twice|repeat"),
        ({"data": b'{"number":1,"city":"\xff\xfe"}'}, "strict"),
        ({"data": '{"number":1,"city":"\\ud800"}'}, "strict"),
        ({"data": DEEP}, "strict"),
        ({"data": "null"}, "strict"),
        ({"opts": "not json"}, "opts"),
        ({"opts": "[1]"}, "opts"),
        ({"opts": DEEP}, "opts"),
        ({"opts": b"\xff"}, "opts"),
        ({"opts": '{"attempts":"many"}'}, "attempts"),
        ({"opts": '{"timeout":1e400}'}, "opts"),
        ({"opts": '{"backoff":{"type":7}}'}, "backoff"),
        ({"opts": '{"attempts":true}'}, "attempts"),
        ({"atm": "abc"}, "atm"),
        ({"atm": "9" * 5000}, "atm"),
        ({"name": None}, "''|no name|no task"),
        ({"name": b"\xff\xfe"}, "no task"),
        ({"defa": "a child failed"}, "a child failed"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else None,
)
async def test_it_fails_with_the_reason_and_keeps_its_bytes(
    changes: dict[str, Any], reason: str, client: Client, queue: QueueClient, stranger: Stranger
) -> None:
    """The job is in `failed` after one attempt, its reason says what is wrong, what was stored of it still is, and the
    next job runs."""
    fields = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    await stranger.add("strange", fields)
    async with Worker(tasks_of(queue.name), client=client):
        job = await queue.job("strange").wait(timeout=10)
        assert await (await queue.enqueue("strict", {"number": 4})).result(timeout=10) == 4
    assert job.state is JobState.FAILED
    assert job.failed_reason
    assert re.search(reason, job.failed_reason), job.failed_reason
    assert len(job.failed_reason) < 5000
    kept = await stranger.fields("strange")
    for name, value in fields.items():
        if name not in ("atm", "defa"):
            assert kept[name] == (value if isinstance(value, bytes) else value.encode())


@pytest.mark.parametrize(
    ("changes", "result"),
    [
        ({"opts": None}, 1),
        ({"opts": ""}, 1),
        ({"opts": '{"future":{"x":[1]},"attempts":0}'}, 1),
        ({"priority": "-3", "delay": "soon", "timestamp": "yesterday"}, 1),
        ({"progress": "{", "stacktrace": "no list", "stc": "x"}, 1),
        ({"unknownField": "from the future"}, 1),
        ({"atm": "0"}, 1),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else None,
)
async def test_what_does_not_matter_does_not_stop_it(
    changes: dict[str, Any], result: int, client: Client, queue: QueueClient, stranger: Stranger
) -> None:
    """A job whose payload and options can be read runs, however odd the rest is."""
    fields = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    await stranger.add("odd", fields)
    async with Worker(tasks_of(queue.name), client=client):
        assert await queue.job("odd").result(timeout=10) == result


@pytest.mark.parametrize(
    "job_id", ["x" * 10_000, "a b\tc", "1234567", "ü/ö", "a:b", "a:b:c", "a%3Ab", "\x01"]
)
async def test_ids_that_corral_would_not_give(
    job_id: str, client: Client, queue: QueueClient, stranger: Stranger
) -> None:
    """Whatever id another client has chosen, its job runs."""
    await stranger.add(job_id, GOOD)
    async with queue.events() as events, Worker(tasks_of(queue.name), client=client):
        assert await ending(events) == "completed"
    assert (await stranger.fields(job_id))["returnvalue"] == b"1"


async def test_an_id_that_is_no_text(client: Client, queue: QueueClient, stranger: Stranger) -> None:
    """An id of any bytes runs, too."""
    await stranger.add(b"\xff\xfe\x00id", GOOD)
    async with queue.events() as events, Worker(tasks_of(queue.name), client=client):
        assert await ending(events) == "completed"
    assert (await stranger.fields(b"\xff\xfe\x00id"))["returnvalue"] == b"1"


async def test_ids_without_a_job(client: Client, queue: QueueClient, stranger: Stranger) -> None:
    """An id in line whose hash is gone is dropped; the jobs behind it run."""
    for number in range(25):
        await stranger.add(f"ghost-{number}", {})
    async with Worker(tasks_of(queue.name), client=client):
        assert await (await queue.enqueue("strict", {"number": 2})).result(timeout=10) == 2
    assert await stranger.client.llen(stranger.base + "active") == 0
    assert [key async for key in stranger.client.scan_iter(stranger.base + "ghost*")] == []


@pytest.mark.parametrize("kind", ["string", "list", "zset"])
async def test_a_key_of_the_wrong_type(
    kind: str, client: Client, queue: QueueClient, stranger: Stranger
) -> None:
    """An id whose key is no hash ends in `failed`; its bytes are kept and the jobs behind it run."""
    key = stranger.base + "strange"
    match kind:
        case "string":
            await stranger.client.set(key, b"bytes")
        case "list":
            await stranger.client.rpush(key, b"bytes")
        case _:
            await stranger.client.zadd(key, {b"bytes": 1})
    await stranger.add("strange", {})
    async with Worker(tasks_of(queue.name), client=client):
        assert await (await queue.enqueue("strict", {"number": 3})).result(timeout=10) == 3
    assert await stranger.client.zscore(stranger.base + "failed", "strange") is not None
    assert (await stranger.client.type(key)).decode() == kind
    assert await stranger.client.llen(stranger.base + "active") == 0


@pytest.mark.parametrize("damaged", ["prioritized", "completed", "stalled", "active", "marker"])
async def test_a_damaged_queue_key_does_not_end_the_worker(
    damaged: str,
    client: Client,
    queue: QueueClient,
    stranger: Stranger,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With a key of the queue itself of the wrong type jobs may not get done, but the worker lives, and goes on by
    itself when the key is mended."""
    await stranger.client.set(stranger.base + damaged, "damaged")
    async with Worker(tasks_of(queue.name), client=client, stalled_interval=0.2):
        with contextlib.suppress(redis.ResponseError):  # the marker may be what is damaged
            await stranger.add("job", GOOD)
        async with asyncio.timeout(10):
            while "damaged" not in capsys.readouterr().out:
                await asyncio.sleep(0)
        await stranger.client.delete(stranger.base + damaged)
        assert await (await queue.enqueue("anything", 5)).result(timeout=15) == 5


async def test_big_numbers_keep_their_digits(client: Client, queue: QueueClient, stranger: Stranger) -> None:
    """Payload and result bytes never pass through Lua's numbers."""
    value = {"big": 2**53 + 1, "small": 1e-320, "tenth": 0.1, "minus": -0.0, "empty": [], "object": {}}
    fields = {**GOOD, "name": "anything", "data": json.dumps(value)}
    await stranger.add("numbers", fields)
    async with Worker(tasks_of(queue.name), client=client):
        assert await queue.job("numbers").result(timeout=10) == value
    kept = await stranger.fields("numbers")
    assert kept["data"] == json.dumps(value).encode()


async def test_a_catch_all_gets_no_broken_job(client: Client, queue: QueueClient, stranger: Stranger) -> None:
    """A catch-all handler is not called with data that is not JSON: the job fails as with a declared task."""
    tasks, seen = Queue(queue.name), []

    @tasks.catch_all
    async def rest(job: Job) -> None:
        seen.append(job.data)

    await stranger.add("broken", {**GOOD, "data": "{"})
    await stranger.add("fine", {**GOOD, "data": "[1]"})
    async with Worker(tasks, client=client):
        broken = await queue.job("broken").wait(timeout=10)
        await queue.job("fine").wait(timeout=10)
    assert broken.state is JobState.FAILED
    assert seen == [[1]]
