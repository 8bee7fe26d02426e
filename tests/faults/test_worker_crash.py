"""Workers die without warning, at any moment; no job is lost, and none has two outcomes."""

from __future__ import annotations

import os
import random
import statistics
import threading

import pytest

from corral import SyncClient
from tests.faults.conftest import LOCK, STALLED_INTERVAL
from tests.faults.fleet import Fleet
from tests.faults.oracle import Corner, check, reruns
from tests.faults.witness import Witness, until

pytestmark = pytest.mark.faults

JOBS = 2000
WORKERS = 4
CONCURRENCY = 10
SLACK = 1.5
"""Seconds that a busy machine may add to the bound."""


def seed() -> int:
    """A new seed, or that of a run to repeat: FAULT_SEED=…"""
    chosen = int(os.environ.get("FAULT_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"FAULT_SEED={chosen}")
    return chosen


def test_jobs_survive_their_workers(
    client: SyncClient, fleet: Fleet, looked_at: Corner, witness: Witness, queue_name: str
) -> None:
    """Of 2,000 jobs, run by workers that are killed with -9 at random moments and replaced, every accepted one ends,
    each with one outcome, and a job that was running is started again within the lock and two stalled intervals."""
    chance = random.Random(seed())
    looked_at.keep_all_events()
    for _ in range(WORKERS):
        fleet.start(concurrency=CONCURRENCY, max_stalled=100)
    naps = [chance.uniform(0.02, 0.25) for _ in range(JOBS)]
    accepted: list[str] = []

    def produce() -> None:
        queue = client.queue(queue_name)
        for first in range(0, JOBS, 50):
            accepted.extend(
                job.id
                for job in queue.enqueue_many("nap", naps[first : first + 50], remove_on_complete=False)
            )

    producer = threading.Thread(target=produce)
    producer.start()
    pause = threading.Event()
    killed: dict[int, float] = {}
    while producer.is_alive() or looked_at.unfinished() > WORKERS * CONCURRENCY:
        until(lambda: len(fleet.up) >= WORKERS - 1, 30, "most workers are up")
        pause.wait(chance.uniform(0.0, 0.4))
        victim = chance.choice(fleet.up)
        victim.kill9()
        killed[victim.pid] = victim.killed_at or 0.0
        fleet.start(concurrency=CONCURRENCY, max_stalled=100)
    producer.join()
    until(lambda: looked_at.unfinished() == 0, 60, "all jobs have ended")

    assert len(accepted) == JOBS
    seen = witness.read()
    check(looked_at, accepted, seen)
    waits = sorted(rerun.seconds for rerun in reruns(seen, killed))
    print(
        f"{len(killed)} kills, {len(waits)} runs cut off; started again after "
        f"{statistics.median(waits):.2f} s (median), {waits[-1]:.2f} s (longest)"
    )
    assert waits[0] > 0, "two runs of one job at the same time"
    assert waits[-1] <= LOCK + 2 * STALLED_INTERVAL + SLACK
    assert len(killed) >= 5
