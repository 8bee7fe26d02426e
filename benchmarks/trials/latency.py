"""Pick-up latency: from just before the call that enqueues, on an idle queue, until the handler runs."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat

from benchmarks.bench import Bench, Sample
from benchmarks.programs import Target, Workers, produce
from benchmarks.record_log import RecordLog
from benchmarks.redis_server import RedisServer
from benchmarks.systems import System, concurrency_of

SHORT_GAP = "0.005,0.015"
LONG_GAP = "1,2"
DROPPED = 20
SETTLE_SECONDS = 2.0


def short_gaps(bench: Bench, system: System, jobs: int = 500) -> Sample:
    """5 to 15 ms of idleness before each job."""
    target, log = bench.fresh(system)
    return _measure(target, log, bench.jobs(jobs), SHORT_GAP, DROPPED)


def long_gaps(bench: Bench, systems: list[System], jobs: int = 40) -> dict[str, Sample]:
    """1 to 2 s of idleness before each job: every system twice, all at once, each on a server of its own.

    At most a few jobs a second run in all, so that they do not meet.
    """
    names = [f"{system.name}.{copy}" for copy in range(2) for system in systems]
    servers = [RedisServer() for _ in names]
    try:
        for server in servers:
            server.__enter__()
        targets = [
            Target(system, server.url, RecordLog.fresh(bench.folder / f"{name}.log").path)
            for system, name, server in zip(systems * 2, names, servers, strict=True)
        ]
        count = bench.jobs(jobs) if bench.scale == 1 else 3
        with ThreadPoolExecutor(len(targets)) as pool:
            logs = [RecordLog(target.log) for target in targets]
            found = list(pool.map(_delays, targets, logs, repeat(count), repeat(LONG_GAP), repeat(1)))
    finally:
        for server in servers:
            server.__exit__(None, None, None)
    joined: dict[str, list[float]] = {}
    for system, delays in zip(systems * 2, found, strict=True):
        joined.setdefault(system.name, []).extend(delays)
    return {name: _summary(delays) for name, delays in joined.items()}


def _measure(target: Target, log: RecordLog, jobs: int, gap: str, dropped: int) -> Sample:
    return _summary(_delays(target, log, jobs, gap, dropped))


def _delays(target: Target, log: RecordLog, jobs: int, gap: str, dropped: int) -> list[float]:
    group = Workers(target, 1, concurrency_of(target.system))
    try:
        group.go()
        time.sleep(SETTLE_SECONDS)
        result = produce(target, "latency", jobs + dropped, 120, BENCH_GAP=gap)
        log.wait(jobs + dropped, 0.5)
    finally:
        group.kill()
    ran = {record.number: record.at for record in log.read()}
    began = result["began"]
    return [(ran[i] - began[i]) * 1000 for i in range(dropped, len(began)) if i in ran]


def _summary(delays: list[float]) -> Sample:
    ordered = sorted(delays)
    if not ordered:
        raise RuntimeError("no job was picked up")
    return {
        "p50_ms": round(_part(ordered, 0.5), 3),
        "p90_ms": round(_part(ordered, 0.9), 3),
        "p99_ms": round(_part(ordered, 0.99), 3),
        "max_ms": round(ordered[-1], 3),
        "picked_up": len(ordered),
    }


def _part(ordered: list[float], part: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]
