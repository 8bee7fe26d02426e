"""No-op jobs out of a filled queue, through one worker process or two. The filling is measured as well."""

from __future__ import annotations

import time
from dataclasses import dataclass

from benchmarks.bench import Bench, Sample
from benchmarks.machine import busy_seconds
from benchmarks.postgres_server import PostgresServer
from benchmarks.programs import Target, Workers, produce
from benchmarks.record_log import RecordLog
from benchmarks.redis_server import RedisServer
from benchmarks.systems import System, concurrency_of

CAP_SECONDS = 12.0
START_SECONDS = 20.0
SETTLE_SECONDS = 3.0
BULLMQ_LAYOUT = ("corral", "bullmq")


@dataclass(frozen=True, slots=True)
class Moment:
    """All meters, read at once."""

    at: float
    jobs: int
    workers: float
    store: float
    machine: float

    @classmethod
    def now(cls, log: RecordLog, workers: Workers, store: RedisServer | PostgresServer) -> Moment:
        """Read them."""
        return cls(time.monotonic(), log.count(), workers.cpu(), store.cpu_seconds(), busy_seconds())

    def since(self, start: Moment) -> Sample:
        """Costs per job between two moments, and what went elsewhere."""
        jobs = max(self.jobs - start.jobs, 1)
        workers, store = self.workers - start.workers, self.store - start.store
        others = (self.machine - start.machine - workers - store) / (self.at - start.at)
        return {
            "worker_us": round(workers / jobs * 1e6, 2),
            "store_us": round(store / jobs * 1e6, 2),
            "others": round(others, 2),
        }


def process(bench: Bench, system: System, workers: int, concurrency: int | None = None) -> Sample:
    """Fill a queue, then let the workers empty it. "jps" counts from the first job to the last."""
    concurrency = concurrency or concurrency_of(system)
    jobs = bench.jobs(system.jobs)
    target, log = bench.fresh(system)
    filled = produce(target, "bulk" if system.bulk else "concurrent", jobs)
    store = bench.store_of(system)
    group = Workers(target, workers, concurrency)
    try:
        group.go()
        log.wait(1, START_SECONDS, pause=0.002)
        start = Moment.now(log, group, store)
        log.wait(jobs, CAP_SECONDS)
        end = Moment.now(log, group, store)
        pss, _ = group.memory()
        left = _wait_until_settled(bench, target) if isinstance(store, RedisServer) else None
        if "logs" in system.variant:
            group.stop()
    finally:
        group.kill()
    sample = rate(log, CAP_SECONDS) | end.since(start)
    sample |= {"concurrency": concurrency, "pss": pss, "fill_jps": round(filled["jobs"] / filled["seconds"])}
    if sample["jobs"] < jobs:
        sample["capped"] = True
    if left is not None and not sample.get("capped"):
        sample["unsettled"] = left
    return sample


def rate(log: RecordLog, seconds: float) -> Sample:
    """Jobs per second from the first record on, over at most so many seconds."""
    records = log.read()
    if len(records) < 2:
        raise RuntimeError("no job ran: see the worker's log")
    first = min(record.at for record in records)
    counted = [record for record in records if record.at <= first + seconds]
    last = max(record.at for record in counted)
    return {
        "jps": round((len(counted) - 1) / (last - first)),
        "jobs": len(counted),
        "seconds": round(last - first, 3),
        "processes": len({record.pid for record in counted}),
        "twice": len(counted) - len({record.number for record in counted}),
    }


def _wait_until_settled(bench: Bench, target: Target) -> int | None:
    """In BullMQ's layout: how many jobs are still to be settled shortly after the last handler ran; 0 is right."""
    if not target.system.name.startswith(BULLMQ_LAYOUT):
        return None
    end = time.monotonic() + SETTLE_SECONDS
    while (left := _unsettled(bench.redis)) and time.monotonic() < end:
        time.sleep(0.02)
    return left


def _unsettled(redis: RedisServer) -> int:
    client = redis.client
    return int(client.llen("bull:bench:wait")) + int(client.llen("bull:bench:active"))
