"""The command line that every Python program of a system has.

::

    awaited N          enqueue N jobs one by one, each awaited
    bulk N             enqueue N jobs 1,000 a call, BENCH_FLIGHT calls at a time
    concurrent N       enqueue N jobs from 100 callers at the same time
    latency N SECONDS  enqueue N jobs on an idle queue, each after the one before has run
    worker C           run a worker with concurrency C until it is ended
    init               make the store ready

Each but the worker prints `RESULT` and JSON.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from benchmarks.peers.recording import FLIGHT, GAP, log_warnings, recorded

CHUNK = 1000
CALLERS = 100
WARM_UP = 200
"""Jobs added before the clock starts, so that every caller has its connection."""


class AsyncPeer:
    """A system whose API is awaited. Everything runs on uvloop."""

    async def open(self) -> None:
        """Connect."""

    async def open_pool(self) -> None:
        """Connect with several connections, where `open` makes one that its users take turns on."""
        raise NotImplementedError

    async def close(self) -> None:
        """Disconnect."""

    async def add(self, number: int) -> None:
        """Enqueue one job."""
        raise NotImplementedError

    async def add_many(self, numbers: range) -> None:
        """Enqueue a chunk of jobs in one call."""
        raise NotImplementedError

    def worker(self, concurrency: int) -> None:
        """Work until ended."""
        raise NotImplementedError

    def init(self) -> None:
        """Make the store ready."""

    def run(self, main: Coroutine[Any, Any, Any]) -> Any:
        """Run to the end on uvloop."""
        import uvloop

        return uvloop.run(main)

    async def _timed(self, *pumps: Coroutine[Any, Any, None]) -> float:
        started = time.perf_counter()
        await asyncio.gather(*pumps)
        return time.perf_counter() - started

    async def _pump(self, numbers: Iterator[int]) -> None:
        for number in numbers:
            await self.add(number)

    async def _pump_chunks(self, chunks: Iterator[range]) -> None:
        for chunk in chunks:
            await self.add_many(chunk)

    async def awaited(self, jobs: int) -> dict[str, Any]:
        """Enqueue one by one."""
        await self.open()
        await self.add(jobs)
        await self.add(jobs + 1)
        started = time.perf_counter()
        for number in range(jobs):
            await self.add(number)
        seconds = time.perf_counter() - started
        await self.close()
        return {"jobs": jobs, "seconds": seconds}

    async def bulk(self, jobs: int) -> dict[str, Any]:
        """Enqueue chunk by chunk."""
        await self.open()
        chunks = iter([range(first, min(first + CHUNK, jobs)) for first in range(0, jobs, CHUNK)])
        seconds = await self._timed(*(self._pump_chunks(chunks) for _ in range(FLIGHT)))
        await self.close()
        return {"jobs": jobs, "seconds": seconds}

    async def concurrent(self, jobs: int) -> dict[str, Any]:
        """Enqueue from 100 callers: with `open`, and with `open_pool` where there is one; the faster counts."""
        ways = {"plain": await self._from_callers(jobs, self.open)}
        if type(self).open_pool is not AsyncPeer.open_pool:
            ways["pool"] = await self._from_callers(jobs, self.open_pool)
        way = min(ways, key=lambda name: ways[name])
        return {"jobs": jobs, "seconds": ways[way], "way": way}

    async def _from_callers(self, jobs: int, connect: Callable[[], Coroutine[Any, Any, None]]) -> float:
        await connect()
        warm_up = iter(range(jobs, jobs + WARM_UP))
        await asyncio.gather(*(self._pump(warm_up) for _ in range(CALLERS)))
        numbers = iter(range(jobs))
        seconds = await self._timed(*(self._pump(numbers) for _ in range(CALLERS)))
        await self.close()
        return seconds

    async def latency(self, jobs: int, seconds: float) -> dict[str, Any]:
        """Enqueue when idle; returns when each call began."""
        await self.open()
        began, end = [], time.monotonic() + seconds
        for number in range(jobs):
            await asyncio.sleep(random.uniform(*GAP))
            before = recorded()
            began.append(time.monotonic())
            await self.add(number)
            while recorded() == before and time.monotonic() < end:
                await asyncio.sleep(0.001)
            if time.monotonic() > end:
                break
        await self.close()
        return {"began": began}


class SyncPeer:
    """A system whose API blocks."""

    threads = 8
    """With these many, or with one, enqueues from 100 callers: the faster counts."""

    def add(self, number: int) -> None:
        """Enqueue one job."""
        raise NotImplementedError

    def worker(self, concurrency: int) -> None:
        """Work until ended."""
        raise NotImplementedError

    def init(self) -> None:
        """Make the store ready."""

    def run(self, result: Any) -> Any:
        """Nothing to run: the call is the work."""
        return result

    def awaited(self, jobs: int) -> dict[str, Any]:
        """Enqueue one by one."""
        self.add(jobs)
        self.add(jobs + 1)
        started = time.perf_counter()
        for number in range(jobs):
            self.add(number)
        return {"jobs": jobs, "seconds": time.perf_counter() - started}

    def concurrent(self, jobs: int) -> dict[str, Any]:
        """Enqueue half of them from one thread and half from several; the faster half counts, twice."""
        half = jobs // 2
        one = self._from_threads(1, range(half), jobs)
        several = self._from_threads(self.threads, range(half, 2 * half), jobs + 1)
        best = min(one, several)
        return {"jobs": 2 * half, "seconds": 2 * best, "way": "one thread" if best == one else "threads"}

    def _from_threads(self, threads: int, numbers: range, warm_up: int) -> float:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(self.add, range(warm_up, warm_up + threads)))
            started = time.perf_counter()
            list(pool.map(self.add, numbers))
            return time.perf_counter() - started

    def latency(self, jobs: int, seconds: float) -> dict[str, Any]:
        """Enqueue when idle; returns when each call began."""
        began, end = [], time.monotonic() + seconds
        for number in range(jobs):
            time.sleep(random.uniform(*GAP))
            before = recorded()
            began.append(time.monotonic())
            self.add(number)
            while recorded() == before and time.monotonic() < end:
                time.sleep(0.001)
            if time.monotonic() > end:
                break
        return {"began": began}


def main(peer: AsyncPeer | SyncPeer) -> None:
    """Do what the command line says."""
    log_warnings()
    command, *words = sys.argv[1:]
    if command == "worker":
        peer.worker(int(words[0]))
    elif command == "init":
        peer.init()
    else:
        result = peer.run(getattr(peer, command)(*(int(word) for word in words)))
        print("RESULT " + json.dumps(result), flush=True)
