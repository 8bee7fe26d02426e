"""taskiq with taskiq-redis, on uvloop. Variants `broker=list` (no acknowledgement) and `broker=stream`.

Fast configuration: one worker process, `max_async_tasks` tuned, `max_prefetch` the same, validation of parameters off.
No bulk API: 100 concurrent `.kiq()`. Results: none kept (default).
"""

# mypy: ignore-errors
from __future__ import annotations

from taskiq.api import run_receiver_task
from taskiq_redis import ListQueueBroker, RedisStreamBroker

from benchmarks.peers.commands import AsyncPeer, main
from benchmarks.peers.recording import REDIS, VARIANT, record, wait_for_go

if VARIANT.get("broker") == "stream":
    broker = RedisStreamBroker(REDIS, queue_name="bench", consumer_id="0", max_connection_pool_size=200)
else:
    broker = ListQueueBroker(REDIS, queue_name="bench", max_connection_pool_size=200)


async def noop(payload):
    """The handler."""
    record(payload["i"])
    return payload["i"]


TASK = broker.register_task(noop, task_name="noop")


class TaskiqPeer(AsyncPeer):
    """See `AsyncPeer`."""

    async def open(self):
        await broker.startup()

    async def close(self):
        await broker.shutdown()

    async def add(self, number):
        await TASK.kiq({"i": number})

    def worker(self, concurrency):
        async def work():
            broker.is_worker_process = True
            wait_for_go()
            await run_receiver_task(
                broker,
                max_async_tasks=concurrency,
                max_prefetch=concurrency,
                validate_params=False,
                run_startup=True,
            )

        self.run(work())


if __name__ == "__main__":
    main(TaskiqPeer())
