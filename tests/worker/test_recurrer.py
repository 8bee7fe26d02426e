"""The recurrer: schedules go on whoever made them, and after whatever happened to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest
import structlog

from corral import Client, Job, Queue, Worker
from corral.client.queue import QueueClient
from corral.contracts.schedule import Cron
from corral.engine.browse import read_job
from corral.engine.keys import QueueKeys
from corral.engine.recur import (
    NewSchedule,
    Prepared,
    StoredSchedule,
    read_schedule,
    remove_schedule,
    upsert_schedule,
)
from corral.errors import InvalidSchedule
from corral.worker.recurrer import PREPARED_TIMES, prepare_times

SECOND = 1000
MINUTE = 60 * SECOND
NOON = 1_799_971_200_000 - 1_799_971_200_000 % (24 * 60 * MINUTE) + 12 * 60 * MINUTE


def stored(pattern: str, next_run: int, **rest: Any) -> StoredSchedule:
    """A cron schedule as it is read."""
    fields: dict[str, Any] = {
        "schedule_id": b"s", "next_run": next_run, "name": b"n", "data": b"{}", "opts": b"{}",
        "pattern": pattern.encode(), "tz": b"UTC", "every_ms": None, "offset_ms": 0, "limit": None, "start_ms": None,
        "end_ms": None, "made": 1, "missed": b"run_once", "missed_limit": 1, "overlap": b"allow", "rule": b"",
        "number": 1, "ended": 0,
    }  # fmt: skip
    return StoredSchedule(**{**fields, **rest})


class TestPreparedTimes:
    """What is computed for a schedule."""

    def test_after_the_pending_iteration(self) -> None:
        """While it lies ahead, the times are those behind it."""
        prepared = prepare_times(stored("* * * * *", NOON), NOON - 5)
        times = tuple(NOON + MINUTE * (step + 1) for step in range(PREPARED_TIMES))
        assert prepared == Prepared(NOON, times, False)

    def test_after_now(self) -> None:
        """When it has passed, they are those after now."""
        prepared = prepare_times(stored("0 * * * *", NOON), NOON + 90 * MINUTE)
        assert (prepared.since, prepared.times[0]) == (NOON + 90 * MINUTE, NOON + 120 * MINUTE)

    def test_not_before_the_start(self) -> None:
        """A start date that lies ahead is where they begin."""
        prepared = prepare_times(stored("* * * * *", NOON, start_ms=NOON + 10 * MINUTE), NOON)
        assert prepared.since == NOON + 10 * MINUTE
        assert prepared.times[0] == NOON + 11 * MINUTE

    def test_to_the_end(self) -> None:
        """With an end date it says that there are no more."""
        prepared = prepare_times(stored("* * * * *", NOON, end_ms=NOON + 2 * MINUTE), NOON - 5)
        assert prepared == Prepared(NOON, (NOON + MINUTE, NOON + 2 * MINUTE), True)

    @pytest.mark.parametrize(("limit", "first"), [(3, 98), (1000, 1)])
    def test_all_that_were_missed(self, limit: int, first: int) -> None:
        """With `run_all` they begin with the latest missed ones, and reach beyond now."""
        row = stored("* * * * *", NOON, missed=b"run_all", missed_limit=limit)
        prepared = prepare_times(row, NOON + 100 * MINUTE + 5)
        assert prepared.since == NOON
        assert prepared.times[0] == NOON + first * MINUTE
        assert len([time for time in prepared.times if time > NOON + 100 * MINUTE + 5]) >= PREPARED_TIMES

    @pytest.mark.parametrize(("pattern", "tz"), [("not cron", "UTC"), ("* * * * *", "Nowhere/At_All")])
    def test_what_cannot_be_read(self, pattern: str, tz: str) -> None:
        """Node takes patterns that are none; here they are refused by name."""
        with pytest.raises(InvalidSchedule):
            prepare_times(stored(pattern, NOON, tz=tz.encode()), NOON)


class Ran:
    """The jobs that a catch-all handler was given, in their order."""

    def __init__(self, queue: str) -> None:
        self.tasks = Queue(queue)
        self.jobs: list[Job] = []
        self._more = asyncio.Event()
        self.tasks.catch_all(self.run)

    async def run(self, job: Job) -> None:
        """Note the job."""
        self.jobs.append(job)
        self._more.set()

    async def until(self, count: int) -> None:
        """Wait until there are so many."""
        async with asyncio.timeout(15):
            while len(self.jobs) < count:
                self._more.clear()
                await self._more.wait()


@pytest.fixture
def ran(queue: QueueClient) -> Ran:
    """A handler for everything in the queue."""
    return Ran(queue.name)


@pytest.fixture
async def keys(client: Client, queue: QueueClient) -> QueueKeys:
    """The keys of the queue."""
    return client.server.keys(queue.name)


@asynccontextmanager
async def worker(client: Client, ran: Ran, **options: Any) -> AsyncIterator[Worker]:
    """A worker that looks around often."""
    async with Worker(ran.tasks, client=client, **{"stalled_interval": 0.2, **options}) as made:
        yield made


def secondly(after: int) -> Prepared:
    """What a client stores with `* * * * * *`."""
    return Prepared(after, tuple(Cron("* * * * * *").upcoming(PREPARED_TIMES, after)))


async def test_an_interval(client: Client, keys: QueueKeys, ran: Ran) -> None:
    """Iterations run one after the other, each once, none before it is due."""
    await upsert_schedule(client.server, keys, NewSchedule("s", "tick", data="[1]", every_ms=50))
    async with worker(client, ran):
        await ran.until(5)
    ids = [job.id for job in ran.jobs]
    assert ids == sorted(set(ids))
    times = [int(job_id.rpartition(":")[2]) for job_id in ids]
    assert all((later - sooner) % 50 == 0 for sooner, later in pairwise(times))
    assert {(job.name, tuple(job.data)) for job in ran.jobs} == {("tick", (1,))}


async def test_a_pattern_that_node_made(client: Client, keys: QueueKeys, ran: Ran) -> None:
    """Without prepared times the worker prepares them, and from then on claims go on by themselves."""
    await upsert_schedule(
        client.server, keys, NewSchedule("s", "tick", pattern="* * * * * *"), upcoming=secondly
    )
    await client.server.call("DEL", keys.key("schedules"))
    async with worker(client, ran, stalled_interval=60):
        await ran.until(3)
    times = [int(job.id.rpartition(":")[2]) for job in ran.jobs]
    assert times == [times[0] + SECOND * step for step in range(len(times))]
    assert await client.server.call("HEXISTS", keys.key("schedules"), "s")


async def test_a_pattern_that_node_changed(client: Client, keys: QueueKeys, ran: Ran) -> None:
    """Times of the old pattern are of no use; the iteration that Node made leads on to the new one's."""
    await upsert_schedule(
        client.server, keys, NewSchedule("s", "tick", pattern="* * * * * *"), upcoming=secondly
    )
    await client.server.call("HSET", f"{keys.base}repeat:s", "pattern", "0 0 0 1 1 *", "tz", "Asia/Tokyo")
    async with worker(client, ran):
        await ran.until(1)
        row = await until_next_is_far(client, keys)
    assert row.next_run == Cron("0 0 0 1 1 *", tz="Asia/Tokyo").next_run(
        int(ran.jobs[0].id.rpartition(":")[2])
    )


async def until_next_is_far(client: Client, keys: QueueKeys) -> StoredSchedule:
    """Wait until the pending iteration is more than a minute away."""
    async with asyncio.timeout(10):
        while True:
            now, row = await read_schedule(client.server, keys, "s")
            if row is not None and row.next_run is not None and row.next_run > now + MINUTE:
                return row
            await asyncio.sleep(0.02)  # a slow handler: the worker's own call


@pytest.mark.parametrize("kind", ["interval", "pattern"])
async def test_a_lost_iteration(client: Client, keys: QueueKeys, ran: Ran, kind: str) -> None:
    """A schedule whose iteration is in no state lives again as soon as a worker looks."""
    new = NewSchedule("s", "tick", every_ms=SECOND)
    if kind == "pattern":
        new = NewSchedule("s", "tick", pattern="* * * * * *")
    await upsert_schedule(client.server, keys, new, upcoming=secondly if kind == "pattern" else None)
    lost = await client.server.call("ZRANGE", keys.key("delayed"), 0, -1)
    waiting = await client.server.call("LRANGE", keys.key("wait"), 0, -1)
    await client.server.call("DEL", keys.key("delayed"), keys.key("wait"))
    await client.server.call("DEL", *(keys.base.encode() + wire_id for wire_id in [*lost, *waiting]))
    async with worker(client, ran):
        await ran.until(2)
    assert len({job.id for job in ran.jobs}) == len(ran.jobs)


@pytest.mark.parametrize(
    "damage",
    [
        ("HSET", "repeat:bad", "pattern", "no cron at all"),
        ("HDEL", "repeat:bad", "pattern"),
        ("ZADD", "repeat", "inf", "bad"),
        ("ZADD", "repeat", "-inf", "bad"),
    ],
    ids=" ".join,
)
async def test_a_rule_that_nobody_can_read(
    client: Client, keys: QueueKeys, ran: Ran, damage: tuple[str, ...]
) -> None:
    """What has no rule or no time stops its own schedule, and nothing else; a worker says so."""
    await upsert_schedule(
        client.server, keys, NewSchedule("bad", "tick", pattern="* * * * * *"), upcoming=secondly
    )
    verb, key, *words = damage
    await client.server.call(verb, f"{keys.base}{key}", *words)
    await upsert_schedule(client.server, keys, NewSchedule("good", "tock", every_ms=100))
    with structlog.testing.capture_logs() as logs:
        async with worker(client, ran):
            await ran.until(12)
    assert {entry["schedule"] for entry in logs if entry["log_level"] == "error"} == {"bad"}
    names = [job.name for job in ran.jobs]
    assert names.count("tick") <= 1
    assert names.count("tock") >= 11


async def test_a_superseded_run_is_cancelled(client: Client, keys: QueueKeys, queue: QueueClient) -> None:
    """`cancel_running`: the handler of the run before is cancelled as soon as its lock is looked at."""
    tasks, cancelled, started = Queue(queue.name), asyncio.Event(), list[str]()

    @tasks.catch_all
    async def hang(job: Job) -> None:
        started.append(job.id)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    new = NewSchedule("s", "tick", every_ms=200, limit=2, overlap="cancel_running")
    await upsert_schedule(client.server, keys, new)
    async with Worker(tasks, client=client, lock_duration=1, grace=0):
        await asyncio.wait_for(cancelled.wait(), 10)
        first = await read_job(client.server, keys, started[0])
    assert first is not None
    assert first.failed_reason == f"superseded by {started[1]}"


async def test_removal_while_it_runs(client: Client, keys: QueueKeys, ran: Ran) -> None:
    """A removed schedule makes no more jobs."""
    await upsert_schedule(client.server, keys, NewSchedule("s", "tick", every_ms=30))
    async with worker(client, ran):
        await ran.until(2)
        assert await remove_schedule(client.server, keys, "s")
        assert await client.server.call("ZCARD", keys.key("delayed")) == 0
