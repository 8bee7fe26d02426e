"""Cost per job with few and with very many jobs behind it: 20,000 jobs out of backlogs that stay."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from benchmarks.bench import Bench, Sample
from benchmarks.programs import Workers, produce
from benchmarks.redis_server import RedisServer
from benchmarks.systems import CORRAL, concurrency_of
from benchmarks.trials.processing import CAP_SECONDS, START_SECONDS, Moment

PROCESSED = 20_000
WARM_UP = 1_000
"""Jobs before the meters are read first: starting up is not the cost of a job."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is in the queue before and after the 20,000 jobs."""

    name: str
    waiting: int
    delayed: int = 0


BACKLOGS = (
    Backlog("1,000 waiting", 1_000),
    Backlog("1,000,000 waiting", 1_000_000),
    Backlog("1,000 waiting, 100,000 delayed", 1_000, 100_000),
)


@contextmanager
def filled(bench: Bench) -> Iterator[list[tuple[Backlog, RedisServer]]]:
    """A server for each backlog, filled."""
    with ExitStack() as stack:
        servers = []
        for backlog in BACKLOGS:
            server = stack.enter_context(RedisServer())
            target, _ = bench.fresh(CORRAL, server)
            if backlog.delayed:
                produce(target, "delayed", bench.jobs(backlog.delayed))
            produce(target, "bulk", bench.jobs(backlog.waiting))
            servers.append((backlog, server))
        yield servers


def process(bench: Bench, backlog: Backlog, server: RedisServer) -> Sample:
    """Add 20,000 jobs and 1,000 to warm up, and process as many: what is left is the backlog."""
    target, log = bench.fresh(CORRAL, server)
    jobs, warm_up = bench.jobs(PROCESSED), bench.jobs(WARM_UP)
    wanted = bench.jobs(backlog.waiting) + jobs + warm_up
    produce(target, "bulk", wanted - int(server.client.llen("bull:bench:wait")))
    concurrency = concurrency_of(CORRAL)
    group = Workers(target, 1, concurrency)
    try:
        group.go()
        log.wait(warm_up, START_SECONDS, pause=0.002)
        start = Moment.now(log, group, server)
        log.wait(start.jobs + jobs, CAP_SECONDS, pause=0.002)
        end = Moment.now(log, group, server)
    finally:
        group.stop()
    sample = end.since(start)
    return {
        "jps": round((end.jobs - start.jobs) / (end.at - start.at)),
        "jobs": end.jobs - start.jobs,
        **sample,
        "total_us": round(sample["worker_us"] + sample["store_us"], 2),
        "waiting_after": int(server.client.llen("bull:bench:wait")),
    }
