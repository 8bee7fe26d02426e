"""The sleeper waits for work at next to no cost, and wakes in time."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import redis.asyncio

from corral import Client, Queue, Worker
from corral.client.queue import QueueClient
from corral.contracts.names import connection_name
from corral.engine.record import Claimed
from corral.worker import sleeper as sleeper_module
from corral.worker.limit_watch import LimitWatch
from corral.worker.queue_runner import QueueRunner
from corral.worker.run import Run
from corral.worker.sleeper import Sleeper


async def until(condition: Callable[[], Awaitable[Any]], within: float = 10.0) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(within):
        while not await condition():
            await asyncio.sleep(0)


def tasks_of(queue_name: str) -> Queue:
    """A queue with one task that does nothing."""
    tasks = Queue(queue_name)

    @tasks.task
    async def nothing(value: Any) -> None:
        del value

    return tasks


async def blocked(raw: redis.asyncio.Redis) -> int:
    """How many connections block on a marker."""
    return sum(each["cmd"] == "bzpopmin" and "b" in each["flags"] for each in await raw.client_list())


@pytest.fixture
async def full_runner(
    client: Client, queue_name: str, raw: redis.asyncio.Redis
) -> AsyncIterator[QueueRunner]:
    """A runner of one slot, filled while its sleeper was waiting already."""
    runner = QueueRunner(1, lambda run: None)
    runner.drained = True
    runner._tell()
    keys = client.server.keys(queue_name)
    sleeper = Sleeper(
        runner,
        await client.server.link(),
        keys,
        limits=LimitWatch(client.server, keys),
        on_trouble=lambda error, pause: None,
    )
    sleeping = asyncio.create_task(sleeper.serve())
    await until(lambda: blocked(raw))
    runner.runs.add(Run(Claimed._make([None] * 13 + [b"busy"]), "token"))
    yield runner
    sleeping.cancel()
    await asyncio.gather(sleeping, return_exceptions=True)


async def test_a_token_that_a_full_worker_took_is_put_back(
    full_runner: QueueRunner, client: Client, queue_name: str, raw: redis.asyncio.Redis
) -> None:
    """A worker that has no free slot when it is woken leaves the token for another worker, which would sleep on
    otherwise though there is a job for it."""
    marker = client.server.keys(queue_name).key("marker")
    await raw.zadd(marker, {"0": 0})

    async def put_back() -> bool:
        return bool(await raw.zcard(marker)) and not await blocked(raw)

    await until(put_back)
    assert await raw.zrange(marker, 0, -1, withscores=True) == [("0", 0.0)]


async def test_delayed_jobs_start_when_they_are_due(
    client: Client, queue: QueueClient, queue_name: str, raw: redis.asyncio.Redis, prefix: str
) -> None:
    """A delayed job starts milliseconds after it is due, never before, on a worker that has nothing else to do."""
    async with Worker(tasks_of(queue_name), client=client):
        late = []
        for _ in range(15):
            job = await (await queue.enqueue("nothing", 0, delay=0.03)).wait(timeout=10)
            assert job.processed_on is not None
            assert job.timestamp is not None
            late.append((job.processed_on - job.timestamp).total_seconds() - 0.03)
    assert min(late) >= 0
    assert statistics.median(late) < 0.03


async def test_a_delayed_job_is_not_forgotten_over_another(
    client: Client, queue: QueueClient, queue_name: str, raw: redis.asyncio.Redis
) -> None:
    """A worker that waits for a delayed job has taken its token. A job that comes in between wakes it, and the claim
    that finds that one does not look for delayed ones: the first is in time all the same."""
    marker = client.server.keys(queue_name).key("marker")

    async def token_is_taken() -> bool:
        return not await raw.zcard(marker) and bool(await blocked(raw))

    async with Worker(tasks_of(queue_name), client=client):
        await until(lambda: blocked(raw))
        delayed = await queue.enqueue("nothing", 0, delay=1)
        await until(token_is_taken)
        await (await queue.enqueue("nothing", 0)).wait(timeout=10)
        job = await delayed.wait(timeout=10)
    assert job.processed_on is not None
    assert job.timestamp is not None
    assert 1 <= (job.processed_on - job.timestamp).total_seconds() < 3, "the drain delay is five seconds"


async def test_an_idle_worker_costs_two_commands_a_wait(
    client: Client, queue_name: str, raw: redis.asyncio.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Apart from the upkeep of locks and stalled jobs, an idle worker sends one blocking wait and one claim in each
    drain delay (5 s; shortened here)."""
    monkeypatch.setattr(sleeper_module, "DRAIN_DELAY", 0.3)
    async with Worker(tasks_of(queue_name), client=client):
        await until(lambda: blocked(raw))

        async def calls(command: str) -> int:
            stats: dict[str, Any] = await raw.info("commandstats")
            return int(stats.get(f"cmdstat_{command}", {"calls": 0})["calls"])

        waits, scripts = await calls("bzpopmin"), await calls("evalsha")

        async def five_waits() -> bool:
            return await calls("bzpopmin") >= waits + 5

        await until(five_waits)
        assert await calls("evalsha") - scripts <= 6


async def test_workers_are_visible_by_name(
    client: Client, queue_name: str, raw: redis.asyncio.Redis, prefix: str
) -> None:
    """The blocking connection carries the name by which BullMQ's `getWorkers` finds workers."""
    async with Worker(tasks_of(queue_name), client=client, name="host-7"):
        await until(lambda: blocked(raw))
        names = [each["name"] for each in await raw.client_list()]
        assert connection_name(prefix, queue_name, "host-7") in names
        assert connection_name(prefix, queue_name, "host-7").endswith(":w:host-7")
