"""SAQ: redis-py and hiredis on uvloop.

Fast configuration: concurrency tuned (each slot has its own blocking pop), `max_concurrent_ops` 100. No bulk API: 100
concurrent `enqueue()`. Results: kept for 600 s (default).
"""

# mypy: ignore-errors
from __future__ import annotations

from saq import Queue, Worker

from benchmarks.peers.commands import AsyncPeer, main
from benchmarks.peers.recording import REDIS, record, wait_for_go


async def noop(context, *, i):
    """The handler."""
    record(i)
    return i


class SaqPeer(AsyncPeer):
    """See `AsyncPeer`."""

    async def open(self):
        self.queue = Queue.from_url(REDIS, max_concurrent_ops=100)
        await self.queue.connect()

    async def close(self):
        await self.queue.disconnect()

    async def add(self, number):
        await self.queue.enqueue("noop", i=number)

    def worker(self, concurrency):
        async def work():
            queue = Queue.from_url(REDIS, max_concurrent_ops=100)
            await queue.connect()
            worker = Worker(queue, [noop], concurrency=concurrency)
            wait_for_go()
            await worker.start()

        self.run(work())


if __name__ == "__main__":
    main(SaqPeer())
