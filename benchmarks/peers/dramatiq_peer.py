"""dramatiq on Redis: one process with as many threads as the concurrency (`dramatiq -p 1 -t N`).

Fast configuration: default middleware less Prometheus, default prefetch (2 x threads). No bulk API. Results: none kept
(default).
"""

# mypy: ignore-errors
from __future__ import annotations

import time

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.worker import Worker

from benchmarks.peers.commands import SyncPeer, main
from benchmarks.peers.recording import REDIS, record, wait_for_go

broker = RedisBroker(url=REDIS)
dramatiq.set_broker(broker)


@dramatiq.actor(actor_name="noop", broker=broker)
def noop(payload):
    """The handler."""
    record(payload["i"])
    return payload["i"]


class DramatiqPeer(SyncPeer):
    """See `SyncPeer`."""

    def add(self, number):
        noop.send({"i": number})

    def worker(self, concurrency):
        worker = Worker(broker, worker_threads=concurrency)
        wait_for_go()
        worker.start()
        while True:
            time.sleep(1)


if __name__ == "__main__":
    main(DramatiqPeer())
