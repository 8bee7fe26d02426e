"""Workers that hold singleton keys die or stand still; one run at a time counts, and the next takes over in time."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import pytest

from corral import SyncClient
from tests.faults.conftest import LOCK
from tests.faults.fleet import Fleet
from tests.faults.oracle import Corner
from tests.faults.test_worker_crash import seed
from tests.faults.witness import Sighting, Witness, until

pytestmark = pytest.mark.faults

SLACK = 1.5
"""Seconds that a busy machine may add to the bound."""


def test_a_killed_holder_is_replaced(
    client: SyncClient, make_fleet: Callable[..., Fleet], redis_url: str, witness: Witness, queue_name: str
) -> None:
    """By the first in line, when its lock ends: the stalled check, which comes later here, is not needed for it."""
    fleet = make_fleet(redis_url, stalled_interval=60.0, concurrency=4)
    first, second = fleet.start(), fleet.start()
    for worker in (first, second):
        worker.wait_up()
    queue = client.queue(queue_name)
    ids = {job.id for job in queue.enqueue_many("alone", [3600.0, 3600.0, 3600.0])}
    (began,) = witness.wait("start")
    holder = first if began.pid == first.pid else second
    holder.kill9()
    assert holder.killed_at is not None
    _, successor = witness.wait("start", count=2)
    assert successor.pid != began.pid
    assert successor.job in ids - {began.job}
    assert successor.at - holder.killed_at < LOCK + SLACK


def overlaps(seen: list[Sighting], killed: dict[int, float]) -> list[tuple[str, str]]:
    """Pairs of runs that went on at the same time, as their handlers saw it."""
    runs = []
    for begin in (each for each in seen if each.what == "start"):
        ends = [each.at for each in seen if (each.what, each.job, each.pid) == ("end", begin.job, begin.pid)]
        ends = [at for at in ends if at >= begin.at] or [killed[begin.pid]]
        runs.append((begin.at, min(ends), begin.job))
    runs.sort()
    return [
        (one[2], other[2]) for at, one in enumerate(runs) for other in runs[at + 1 :] if other[0] < one[1]
    ]


def test_one_at_a_time_however_workers_die(
    client: SyncClient, fleet: Fleet, looked_at: Corner, witness: Witness, queue_name: str
) -> None:
    """Workers are killed with -9 at random moments and replaced: no two handlers of a key run at the same time, and
    every job ends."""
    chance = random.Random(seed())
    for _ in range(3):
        fleet.start(concurrency=4, max_stalled=100)
    client.queue(queue_name).enqueue_many("alone", [chance.uniform(0.01, 0.1) for _ in range(60)])
    pause = threading.Event()
    killed: dict[int, float] = {}
    while looked_at.unfinished():
        until(lambda: len(fleet.up) >= 2, 30, "most workers are up")
        pause.wait(chance.uniform(0.2, 1.0))
        if len(killed) < 12:
            worker = chance.choice(fleet.up)
            worker.kill9()
            assert worker.killed_at is not None
            killed[worker.pid] = worker.killed_at
            fleet.start(concurrency=4, max_stalled=100)
    assert overlaps(witness.read(), killed) == []
