"""What each node of a cluster has to do: the same jobs, in the same queues, over one node, two, and three.

All nodes share the cores of this machine, so jobs per second say nothing here. What is measured is the processor time
of each node: nodes share nothing when it falls with their number, and its sum stays.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass

import redis

from benchmarks.bench import Bench, Sample
from corral import Client, Queue, Worker
from corral.engine.slots import slot_of
from corral.logs import configure
from tests.topologies import SLOTS, Cluster

NODES = (1, 2, 3)
QUEUES = 12
JOBS = 4_000
"""In each queue."""
CONCURRENCY = 50
CHUNK = 500
PARTS = 6
"""The slots are cut into so many parts, each with as many queues: one, two and three nodes have whole parts."""


@dataclass(frozen=True, slots=True)
class Meters:
    """Processor seconds of each node."""

    seconds: list[float]

    @classmethod
    def read(cls, cluster: Cluster) -> Meters:
        """Ask all nodes."""
        found = []
        for node in cluster.nodes:
            with redis.Redis.from_url(node.url) as client:
                told = client.info("cpu")
            found.append(float(told["used_cpu_user"]) + float(told["used_cpu_sys"]))
        return cls(found)

    def since(self, start: Meters, jobs: int) -> list[float]:
        """Microseconds of each node for one of all jobs."""
        pairs = zip(self.seconds, start.seconds, strict=True)
        return [round((now - before) / jobs * 1e6, 1) for now, before in pairs]


def queue_names() -> list[str]:
    """Names whose slots are spread evenly."""
    found: dict[int, list[str]] = {part: [] for part in range(PARTS)}
    number = 0
    while any(len(names) < QUEUES // PARTS for names in found.values()):
        name = f"{{bench-{number}}}"
        part = found[slot_of(name) * PARTS // SLOTS]
        if len(part) < QUEUES // PARTS:
            part.append(name)
        number += 1
    return [name for names in found.values() for name in names]


def spread(bench: Bench, nodes: int) -> Sample:
    """Fill the queues, then let one worker empty them. "each_us": what each node spent on one of all jobs."""
    configure("warning", sys.stderr, pretty=False)
    with Cluster(nodes, kind="redis7") as cluster:
        return asyncio.run(_spread(cluster, bench.jobs(JOBS)))


async def _spread(cluster: Cluster, jobs: int) -> Sample:
    left = jobs * QUEUES
    done = asyncio.Event()

    async def noop(number: int) -> int:
        nonlocal left
        left -= 1
        if not left:
            done.set()
        return number

    queues = [Queue(name) for name in queue_names()]
    tasks = [queue.task(name="noop")(noop) for queue in queues]
    start = Meters.read(cluster)
    async with Client(cluster.url) as client:
        for first in range(0, jobs, CHUNK):
            numbers = range(first, min(first + CHUNK, jobs))
            await asyncio.gather(*(task.enqueue_many(client, numbers) for task in tasks))
        filled = Meters.read(cluster)
        async with Worker(*queues, client=client, concurrency=CONCURRENCY):
            await done.wait()
    each = Meters.read(cluster).since(start, jobs * QUEUES)
    return {
        "jobs": jobs * QUEUES,
        "enqueue_us": round(sum(filled.since(start, jobs * QUEUES)), 1),
        "sum_us": round(sum(each), 1),
        "busiest_us": max(each),
        "each_us": each,
    }
