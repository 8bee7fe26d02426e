"""Workers under a limit: they keep it together, sleep no longer than it lasts, and ask for nothing meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
import redis.asyncio

from corral import Client, InvalidOption, Queue, RateLimit, RateLimited, Serve, Worker
from corral.client.queue import QueueClient
from corral.engine.limit import hold_starts, set_concurrency, set_rate
from corral.worker import sleeper as sleeper_module

HOUR = RateLimit(1, per=3600)


async def until(condition: Callable[[], Awaitable[Any]], within: float = 20.0) -> None:
    """Wait until a condition holds."""
    loop = asyncio.get_running_loop()
    over = loop.time() + within  # asyncio.timeout cannot interrupt redis-py in a loop that never waits
    while not await condition():
        assert loop.time() < over, "it does not come to that"
        await asyncio.sleep(0)


class Bench:
    """A queue whose handlers note who runs what, and wait at a gate where they are told to."""

    def __init__(self, client: Client, queue: str) -> None:
        self.client = client
        self.keys = client.server.keys(queue)
        self.queue = client.queue(queue)
        self.ran: list[tuple[str, int]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    def worker(self, name: str, **options: Any) -> Worker:
        """A worker that is known by its name."""
        tasks = Queue(self.keys.queue)

        @tasks.task
        async def note(number: int) -> None:
            self.ran.append((name, number))
            await self.gate.wait()

        return Worker(tasks, client=self.client, name=name, **{"grace": 0.0, **options})

    async def add(self, count: int, **options: Any) -> None:
        """Add jobs."""
        await self.queue.enqueue_many("note", list(range(count)), **options)

    async def ran_are(self, count: int) -> None:
        """Wait until so many jobs have begun."""

        async def enough() -> bool:
            return len(self.ran) >= count

        await until(enough)

    async def completed(self, count: int) -> None:
        """Wait until so many are completed."""

        async def enough() -> bool:
            return (await self.queue.counts())["completed"] == count  # type: ignore[index]

        await until(enough)

    async def starts(self) -> list[datetime]:
        """When the jobs that are completed began, by the server's clock, the earliest first."""
        jobs = await self.queue.jobs("completed", limit=1000)
        return sorted(job.processed_on for job in jobs if job.processed_on is not None)


@pytest.fixture
def bench(client: Client, queue_name: str) -> Bench:
    """A queue of this test's own."""
    return Bench(client, queue_name)


@pytest.fixture
def long_sleeps(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whoever is not woken sleeps on."""
    monkeypatch.setattr(sleeper_module, "DRAIN_DELAY", 60.0)
    return iter(())


async def scripts_called(raw: redis.asyncio.Redis) -> int:
    """How many scripts the server has run."""
    stats: dict[str, Any] = await raw.info("commandstats")
    return int(stats.get("cmdstat_evalsha", {"calls": 0})["calls"])


async def waiting_for_a_change(raw: redis.asyncio.Redis) -> int:
    """How many workers wait under a limit; those that wait for orders do not count."""
    waiting = [each for each in await raw.client_list() if each["cmd"] == "xread" and "b" in each["flags"]]
    return sum(not each["name"].endswith(":orders") for each in waiting)


def windows(starts: list[datetime], per: timedelta) -> list[int]:
    """How many starts each window has: it begins with the first one after the last."""
    found: list[int] = []
    begun: datetime | None = None
    for start in starts:
        if begun is None or start >= begun + per:
            begun = start
            found.append(0)
        found[-1] += 1
    return found


class TestRate:
    """A rate limit, kept by all workers together."""

    async def test_two_workers_share_a_window(self, bench: Bench) -> None:
        """Each window has as many starts as allowed and no more, whoever makes them; the next begins in time."""
        limit = RateLimit(4, per=0.25)
        async with bench.worker("one", limiter=limit), bench.worker("other", limiter=limit):
            await bench.add(18)
            await bench.completed(18)
        starts = await bench.starts()
        assert windows(starts, timedelta(seconds=0.25)) == [4, 4, 4, 4, 2]
        assert starts[-1] - starts[0] < timedelta(seconds=4 * 0.25 + 1)
        assert len(bench.ran) == 18

    async def test_short_windows_are_not_slept_past(self, bench: Bench) -> None:
        """Fifty windows of 20 ms take a second, not fifty waits of a server that looks ten times a second."""
        async with bench.worker("one", limiter=RateLimit(1, per=0.02)):
            await bench.add(50)
            await bench.completed(50)
        starts = await bench.starts()
        assert max(windows(starts, timedelta(milliseconds=20))) == 1
        assert starts[-1] - starts[0] < timedelta(seconds=3)

    async def test_for_one_of_several_queues(self, client: Client, queue_name: str) -> None:
        """`Serve(…, limiter=…)` limits its own queue."""
        free, slow = Bench(client, queue_name), Bench(client, f"{queue_name}-slow")
        async with AsyncExitStack() as stack:
            sources = []
            for each in (free, slow):
                tasks = Queue(each.keys.queue)

                @tasks.task
                async def note(number: int, ran: list[tuple[str, int]] = each.ran) -> None:
                    del ran

                sources.append(tasks)
            worker = Worker(sources[0], Serve(sources[1], limiter=HOUR), client=client)
            await stack.enter_async_context(worker)
            await free.add(5)
            await slow.add(5)
            await free.completed(5)
            await slow.completed(1)
        assert (await slow.queue.counts())["waiting"] == 4  # type: ignore[index]

    async def test_nothing_is_asked_meanwhile(
        self, bench: Bench, raw: redis.asyncio.Redis, long_sleeps: None
    ) -> None:
        """Jobs that are added under a limit wake nobody who waits for its end."""
        async with bench.worker("one", limiter=HOUR, stalled_interval=60):
            await bench.add(3)
            await until(lambda: waiting_for_a_change(raw))
            before = await scripts_called(raw)
            for _ in range(10):
                await bench.add(5)
            assert await scripts_called(raw) - before == 10 + 0
        assert len(bench.ran) == 1

    async def test_a_change_holds_at_once(
        self, bench: Bench, raw: redis.asyncio.Redis, long_sleeps: None
    ) -> None:
        """All who wait under a limit of an hour go on when it is raised, each with what it has room for, and stop at
        the new one."""
        server, keys = bench.client.server, bench.keys
        await set_rate(server, keys, HOUR)
        bench.gate.clear()
        async with bench.worker("one", concurrency=2), bench.worker("other", concurrency=2):
            await bench.add(2)
            await until(lambda: waiting_for_a_change(raw))
            await bench.add(8)  # wakes the other one

            async def both_wait() -> bool:
                return await waiting_for_a_change(raw) == 2

            await until(both_wait)
            await set_rate(server, keys, RateLimit(4, per=3600))
            await bench.ran_are(4)
            assert sorted(name for name, _ in bench.ran) == ["one", "one", "other", "other"]
            bench.gate.set()
            await bench.completed(4)
            await until(both_wait)
            await set_rate(server, keys, None)
            await bench.completed(10)

    async def test_an_end_that_somebody_else_brought_is_noticed(
        self, bench: Bench, raw: redis.asyncio.Redis, long_sleeps: None
    ) -> None:
        """A limit that Node takes away, of which it tells nobody, ends with the next settlement: from then on tokens
        are listened to again."""
        await set_rate(bench.client.server, bench.keys, RateLimit(2, per=3600))
        bench.gate.clear()
        async with bench.worker("one"):
            await bench.add(2)
            await bench.ran_are(2)
            await bench.add(1)
            await until(lambda: waiting_for_a_change(raw))
            await raw.hdel(bench.keys.key("meta"), "max", "duration")
            bench.gate.set()
            await bench.completed(3)
            await bench.add(1)
            await bench.completed(4)

    async def test_due_jobs_get_in_line_meanwhile(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch, raw: redis.asyncio.Redis
    ) -> None:
        """Under a limit workers look from time to time (30 s; shortened here) whether delayed jobs have come due."""
        monkeypatch.setattr(sleeper_module, "MAX_LIMITED_WAIT", 0.1)
        async with bench.worker("one", limiter=HOUR):
            await bench.add(1)
            await bench.completed(1)
            await bench.add(1, delay=0.01)

            async def promoted() -> bool:
                return (await bench.queue.counts())["waiting"] == 1  # type: ignore[index]

            await until(promoted)
        assert len(bench.ran) == 1

    def test_nonsense_is_refused(self, queue_name: str) -> None:
        """What is no limit, before anything runs."""
        bad: Any
        for bad in (5, (5, 60), {"max": 5, "duration": 1000}):
            with pytest.raises(InvalidOption, match="RateLimit"):
                Worker(Queue(queue_name), limiter=bad)
            with pytest.raises(InvalidOption, match="RateLimit"):
                Serve(Queue(queue_name), limiter=bad)


class TestHoldingOff:
    """A handler was told to wait."""

    async def test_all_workers_hold_off(
        self, client: Client, bench: Bench, queue_name: str, raw: redis.asyncio.Redis
    ) -> None:
        """None of them starts anything until the time is over; then the job that was refused runs first, and no attempt
        was spent."""
        tasks, refused = Queue(queue_name), asyncio.Event()

        @tasks.task
        async def note(number: int) -> None:
            bench.ran.append(("", number))
            if number == 0 and not refused.is_set():
                refused.set()
                raise RateLimited(0.3)

        async with Worker(tasks, client=client, concurrency=1), Worker(tasks, client=client, concurrency=1):
            first = await bench.queue.enqueue("note", 0)
            await refused.wait()
            await until(lambda: raw.exists(bench.keys.key("limiter")))
            await bench.add(4)
            job = await first.wait(timeout=20)
            await bench.completed(5)
        assert len(bench.ran) == 6
        assert (job.attempts_made, job.attempts_started) == (1, 2)
        assert job.processed_on is not None
        assert job.timestamp is not None
        starts = await bench.starts()
        assert starts[0] == job.processed_on
        assert job.processed_on - job.timestamp >= timedelta(seconds=0.3)

    async def test_an_operator_ends_it(
        self, bench: Bench, raw: redis.asyncio.Redis, long_sleeps: None
    ) -> None:
        """Whoever waits goes on at once."""
        await hold_starts(bench.client.server, bench.keys, 3_600_000)
        async with bench.worker("one"):
            await bench.add(2)
            await until(lambda: waiting_for_a_change(raw))
            await hold_starts(bench.client.server, bench.keys, 0)
            await bench.completed(2)

    async def test_a_task_that_listens_to_http_errors(
        self, client: Client, queue: QueueClient, queue_name: str
    ) -> None:
        """A 429 with `Retry-After` spends no attempt and holds for as long as it said; without the header it fails."""
        tasks, answers = Queue(queue_name, attempts=1), [{"Retry-After": "0.2"}, {}]

        @tasks.task(respect_retry_after=True)
        async def push(_: int) -> None:
            request = httpx.Request("POST", "http://partner")
            httpx.Response(429, headers=answers.pop(0), request=request).raise_for_status()

        async with Worker(tasks, client=client):
            job = await (await push.enqueue(client, 1)).wait(timeout=20)
        assert (job.state, job.attempts_made, job.attempts_started) == ("failed", 1, 2)
        assert job.processed_on is not None
        assert job.timestamp is not None
        assert job.processed_on - job.timestamp >= timedelta(seconds=0.2)


class TestConcurrency:
    """How many run at once, over all workers."""

    async def test_a_free_place_is_taken_at_once(
        self, bench: Bench, long_sleeps: None, raw: redis.asyncio.Redis
    ) -> None:
        """When the worker that had it stops, another that sleeps takes it, not only after its drain delay."""
        await set_concurrency(bench.client.server, bench.keys, 1)
        bench.gate.clear()
        one = bench.worker("one", concurrency=2)
        async with bench.worker("other", concurrency=2) as other, one:
            await bench.add(4)
            await bench.ran_are(1)
            stopping = one if bench.ran[0][0] == "one" else other
            stopping.stop()
            bench.gate.set()
            await bench.completed(4)
        assert {name for name, _ in bench.ran[1:]} == {"one", "other"} - {bench.ran[0][0]}

    async def test_raising_it_holds_at_once(self, bench: Bench, long_sleeps: None) -> None:
        """More places wake workers that sleep; no more run than allowed, at any time."""
        server, keys = bench.client.server, bench.keys
        await set_concurrency(server, keys, 1)
        bench.gate.clear()
        async with bench.worker("one", concurrency=2), bench.worker("other", concurrency=2):
            await bench.add(6)
            await bench.ran_are(1)
            assert (await bench.queue.counts())["active"] == 1  # type: ignore[index]
            await set_concurrency(server, keys, 3)
            await bench.ran_are(3)
            assert (await bench.queue.counts())["active"] == 3  # type: ignore[index]
            await set_concurrency(server, keys, None)
            await bench.ran_are(4)
            bench.gate.set()
            await bench.completed(6)
