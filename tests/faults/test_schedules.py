"""Schedules live on: whoever dies, however many make the same one, and whatever is due at one moment."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from corral import Job, Queue, Worker
from corral.engine.keys import QueueKeys
from corral.engine.recover import Held
from corral.engine.recur import NewSchedule, Prepared, upsert_schedule
from corral.engine.server import Server
from corral.engine.settings import ServerSettings
from tests.engine.driver import Driver, end, held, new_job
from tests.faults.schedule_program import POINTS

pytestmark = pytest.mark.faults

PROCESSES = 20
UPSERTS = 500
DUE_AT_ONCE = 50_000


@pytest.fixture
async def engine(redis_url: str, prefix: str) -> AsyncIterator[Server]:
    """The run's server, as the engine sees it."""
    made = Server(ServerSettings(redis_url, prefix, 30))
    yield made
    await made.close()


@pytest.fixture
def keys(engine: Server, queue_name: str) -> QueueKeys:
    """The keys of the test's queue."""
    return engine.keys(queue_name)


async def start(*words: str | int, url: str, keys: QueueKeys) -> asyncio.subprocess.Process:
    """Start the program."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.schedule_program", *map(str, words), url, keys.prefix, keys.queue
    )


async def server_ms(engine: Server) -> int:
    """The server's time."""
    seconds, micros = await engine.call("TIME")
    return int(seconds) * 1000 + int(micros) // 1000


async def pending(engine: Server, keys: QueueKeys) -> list[bytes]:
    """Every iteration that waits for its first start."""
    found: list[bytes] = []
    for name in ("wait", "paused"):
        found += await engine.call("LRANGE", keys.key(name), 0, -1)
    for name in ("delayed", "prioritized"):
        found += await engine.call("ZRANGE", keys.key(name), 0, -1)
    return [
        wire_id for wire_id in found if await engine.call("HGET", keys.base.encode() + wire_id, "ats") is None
    ]


@asynccontextmanager
async def working(url: str, keys: QueueKeys, **options: Any) -> AsyncIterator[asyncio.Queue[Job]]:
    """A worker in this process, and what it runs."""
    tasks, ran = Queue(keys.queue), asyncio.Queue[Job]()

    @tasks.catch_all
    async def note(job: Job) -> None:
        ran.put_nowait(job)

    async with Worker(
        tasks, url=url, prefix=keys.prefix, lock_duration=1, stalled_interval=0.2, grace=0, **options
    ):
        yield ran


@pytest.mark.parametrize("kind", ["interval", "pattern of Node's"])
@pytest.mark.parametrize("point", POINTS)
async def test_a_worker_is_killed(
    point: str, kind: str, redis_url: str, engine: Server, keys: QueueKeys
) -> None:
    """At whatever point of a claim, the preparing of times, or a settlement: the schedule goes on, its iteration is not
    lost, and none has two successors."""
    new = (
        NewSchedule("s", "n", every_ms=200)
        if kind == "interval"
        else NewSchedule("s", "n", pattern="* * * * * *")
    )
    upcoming = None if kind == "interval" else lambda after: Prepared(after, (after // 1000 * 1000 + 1000,))
    made = await upsert_schedule(engine, keys, new, upcoming=upcoming)
    if kind == "pattern of Node's":
        await engine.call("DEL", keys.key("schedules"))
    async with asyncio.timeout(5):
        while await server_ms(engine) <= made.due:
            await asyncio.sleep(0)
    process = await start("die", point, url=redis_url, keys=keys)
    assert await asyncio.wait_for(process.wait(), 20) == -signal.SIGKILL
    ran: list[str] = []
    async with working(redis_url, keys) as jobs, asyncio.timeout(20):
        while len(ran) < 3 or (
            made.wire_id.decode() not in ran and not await is_done(engine, keys, made.wire_id)
        ):
            ran.append((await jobs.get()).id)
    times = sorted(int(job_id.rpartition(":")[2]) for job_id in ran)
    assert max(Counter(times).values()) == 1
    assert len(await pending(engine, keys)) == 1


async def is_done(engine: Server, keys: QueueKeys, wire_id: bytes) -> bool:
    """Whether the one who was killed had stored the outcome."""
    return bool(await engine.call("ZSCORE", keys.key("completed"), wire_id))


async def test_many_processes_upsert_one_schedule(redis_url: str, engine: Server, keys: QueueKeys) -> None:
    """Twenty processes store one schedule five hundred times each, with changes, while a worker runs what is due:
    afterwards one iteration is pending, the one that the schedule names."""
    async with working(redis_url, keys):
        process = await start("upsert", PROCESSES, UPSERTS, url=redis_url, keys=keys)
        assert await process.wait() == 0
    (wire_id,) = await pending(engine, keys)
    assert wire_id == b"repeat:s:" + await engine.call("ZSCORE", keys.key("repeat_"), "s")


async def test_many_due_at_once(redis_url: str, engine: Server, keys: QueueKeys) -> None:
    """Fifty thousand jobs due in one millisecond run once each, in the order in which they were enqueued; meanwhile
    the calls of another queue are answered within 100 ms, 99 of 100."""
    link = await engine.link()
    driver = Driver(engine, link, keys)
    due = driver.now + 600_000
    for first in range(0, DUE_AT_ONCE, 500):
        numbers = range(first, first + 500)
        await driver.add(*(new_job(f"{number * 7919 % DUE_AT_ONCE}x", due=due) for number in numbers))
    other = Driver(engine, await engine.link(), engine.keys(f"{keys.queue}-other"))
    started: list[str] = []

    async def drain() -> None:
        driver.now, runs = due + 64, list[Held]()
        while True:
            claim = driver.a_claim(100)
            committed = await driver.commit(*(end(run, keep=0) for run in runs), claim=claim)
            runs = held(claim.token, committed.jobs)
            started.extend(str(run.wire_id) for run in runs)
            if not runs:
                return

    async def worst(busy: asyncio.Task[None]) -> float:
        """The time within which 99 of 100 calls of the other queue are answered."""
        waits: list[float] = []
        while not busy.done():
            for call in (other.add("a"), other.take(1)):
                began = time.perf_counter()
                await call
                waits.append(time.perf_counter() - began)
        return sorted(waits)[int(len(waits) * 0.99)]

    draining = asyncio.create_task(drain())
    meanwhile = await worst(draining)
    await draining
    await link.close()
    await other.link.close()
    assert started == [f"{number * 7919 % DUE_AT_ONCE}x" for number in range(DUE_AT_ONCE)]
    assert meanwhile < 0.1
