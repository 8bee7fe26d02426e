"""BullMQ's official Python port: redis-py asyncio and hiredis on uvloop.

Fast configuration: one event loop, concurrency tuned, `addBulk` in chunks of 1,000 (one pipeline each).
Results: kept, for ever (default).
"""

# mypy: ignore-errors
from __future__ import annotations

from bullmq import Queue, Worker

from benchmarks.peers.commands import AsyncPeer, main
from benchmarks.peers.recording import REDIS, record, wait_for_go


async def process(job, token):
    """The handler."""
    record(job.data["i"])
    return job.data["i"]


class BullMQPeer(AsyncPeer):
    """See `AsyncPeer`."""

    async def open(self):
        self.queue = Queue("bench", {"connection": REDIS})

    async def close(self):
        await self.queue.close()

    async def add(self, number):
        await self.queue.add("noop", {"i": number})

    async def add_many(self, numbers):
        await self.queue.addBulk([{"name": "noop", "data": {"i": number}} for number in numbers])

    def worker(self, concurrency):
        async def work():
            options = {"connection": REDIS, "concurrency": concurrency, "autorun": False}
            worker = Worker("bench", process, options)
            wait_for_go()
            await worker.run()

        self.run(work())


if __name__ == "__main__":
    main(BullMQPeer())
