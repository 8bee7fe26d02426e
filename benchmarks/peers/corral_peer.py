"""Corral through its public, typed API: payload validated at both ends, result encoded, timeout armed.

Variant `logs=PATH`: lifecycle lines at level info into that file, as JSON. Results: kept as by default.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from benchmarks.peers.commands import AsyncPeer, main
from benchmarks.peers.recording import REDIS, VARIANT, record, wait_for_go
from corral import Client, Task, TaskSet, Worker, task
from corral.logs import configure


@dataclass(frozen=True, slots=True)
class Numbered:
    """The payload."""

    i: int


class Bench(TaskSet, queue="bench"):
    """The queue that all tests use."""

    noop: Task[Numbered, int] = task("noop", timeout=30)


async def noop(payload: Numbered) -> int:
    """Do nothing, and leave a record of it."""
    record(payload.i)
    return payload.i


class CorralPeer(AsyncPeer):
    """See `AsyncPeer`."""

    async def open(self) -> None:
        self.client = Client(REDIS)

    async def close(self) -> None:
        await self.client.close()

    async def add(self, number: int) -> None:
        await Bench.noop.enqueue(self.client, Numbered(number))

    async def add_many(self, numbers: range) -> None:
        await Bench.noop.enqueue_many(self.client, [Numbered(number) for number in numbers])

    async def delayed(self, jobs: int) -> dict[str, int]:
        """Fill the queue with jobs that are due tomorrow."""
        await self.open()
        for first in range(0, jobs, 1000):
            payloads = [Numbered(number) for number in range(first, min(first + 1000, jobs))]
            await Bench.noop.enqueue_many(self.client, payloads, delay=86_400)
        await self.close()
        return {"jobs": jobs}

    def worker(self, concurrency: int) -> None:
        async def work() -> None:
            worker = Worker(Bench(noop=noop), url=REDIS, concurrency=concurrency)
            wait_for_go()
            await worker.run()

        if "logs" in VARIANT:
            configure("info", open(VARIANT["logs"], "w", encoding="utf-8"), pretty=False)  # noqa: SIM115, PTH123
        else:
            configure("warning", sys.stderr, pretty=False)
        self.run(work())


if __name__ == "__main__":
    main(CorralPeer())
