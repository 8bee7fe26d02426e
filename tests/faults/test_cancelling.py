"""Workers are killed while they run jobs that were cancelled or superseded: these never run again."""

from __future__ import annotations

import os
import random
import time
from itertools import pairwise

import pytest

from corral import Deduplication, FailureKind, JobCancelled, JobNotInState, SyncClient
from tests.faults.fleet import Fleet
from tests.faults.oracle import Corner, check
from tests.faults.witness import Witness, until

pytestmark = pytest.mark.faults

ROUNDS = 12


def chance() -> random.Random:
    """New dice, or those of a run to repeat: FAULT_SEED=…"""
    seed = int(os.environ.get("FAULT_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"FAULT_SEED={seed}")
    return random.Random(seed)


def test_a_worker_that_dies_with_a_cancelled_job(
    client: SyncClient, fleet: Fleet, looked_at: Corner, witness: Witness, queue_name: str
) -> None:
    """Its handler ignored that it was cancelled, and then it was killed: whoever takes the job over fails it, with the
    reason, and no handler sees it again."""
    looked_at.keep_all_events()
    queue = client.queue(queue_name)
    first = fleet.start(concurrency=1, max_stalled=5).wait_up()
    job = queue.enqueue("stubborn", 60)
    witness.wait("start", job.id)
    assert job.cancel("not wanted") is False
    witness.wait("cancelled", job.id)
    first.kill9()
    fleet.start(concurrency=1, max_stalled=5).wait_up()
    with pytest.raises(JobCancelled, match="not wanted"):
        job.result(timeout=30)
    check(looked_at, [job.id], witness.read())
    assert len(witness.read("start", job.id)) == 1


def test_cancelled_and_killed_at_random(
    client: SyncClient, fleet: Fleet, looked_at: Corner, witness: Witness, queue_name: str
) -> None:
    """Jobs are cancelled around the moment in which they end, and workers killed around that: a job whose cancellation
    was acknowledged does not complete, and does not start after that."""
    dice = chance()
    looked_at.keep_all_events()
    queue = client.queue(queue_name)
    cancelled: dict[str, float] = {}
    accepted: list[str] = []
    for _ in range(2):
        fleet.start(concurrency=5, max_stalled=100)
    for _ in range(ROUNDS):
        jobs = [queue.enqueue("nap", dice.uniform(0.0, 0.3), remove_on_complete=False) for _ in range(10)]
        accepted += [job.id for job in jobs]
        until(lambda: len(fleet.up) >= 1, 30, "a worker is up")
        witness.wait("start", jobs[0].id, within=60)
        for job in dice.sample(jobs, 5):
            try:
                job.cancel("not wanted")
                cancelled[job.id] = time.monotonic()
            except JobNotInState:
                pass
        if dice.random() < 0.5:
            dice.choice(fleet.up).kill9()
            fleet.start(concurrency=5, max_stalled=100)
    until(lambda: looked_at.unfinished() == 0, 60, "all jobs have ended")
    check(looked_at, accepted, witness.read())
    ended = looked_at.ended()
    assert {ended[job_id] for job_id in cancelled} == {"failed"}
    assert {looked_at.field(job_id, "corral.failure") for job_id in cancelled} == {FailureKind.CANCELLED}
    late = [each for each in witness.read("start") if each.at > cancelled.get(each.job, float("inf"))]
    assert late == []
    print(f"{len(cancelled)} of {len(accepted)} jobs cancelled")


def test_the_newest_survives(
    client: SyncClient, fleet: Fleet, looked_at: Corner, witness: Witness, queue_name: str
) -> None:
    """Newer jobs of a key come while workers run older ones and are killed: the newest completes, the others that
    it met fail by the one after them."""
    dice = chance()
    looked_at.keep_all_events()
    queue = client.queue(queue_name)
    for _ in range(2):
        fleet.start(concurrency=5, max_stalled=100)
    jobs = []
    for _ in range(ROUNDS):
        job = queue.enqueue("nap", 60, deduplication=Deduplication.superseding("k"))
        jobs.append(job)
        if dice.random() < 0.7:
            witness.wait("start", job.id, within=60)
        if dice.random() < 0.5:
            until(lambda: len(fleet.up) >= 1, 30, "a worker is up")
            dice.choice(fleet.up).kill9()
            fleet.start(concurrency=5, max_stalled=100)
    jobs.append(queue.enqueue("nap", 0.01, deduplication=Deduplication.superseding("k")))
    assert jobs[-1].result(timeout=30) == jobs[-1].id
    until(lambda: looked_at.unfinished() == 0, 60, "all jobs have ended")
    check(looked_at, [job.id for job in jobs], witness.read())
    for older, newer in pairwise(jobs):
        with pytest.raises(JobCancelled) as raised:
            older.result(timeout=5)
        assert raised.value.superseded_by == newer.id
