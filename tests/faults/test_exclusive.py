"""Singleton, superseding and cancelled jobs whose workers are killed, 200 times, judged by a log outside Redis."""

from __future__ import annotations

import itertools
import os
import random
import statistics
import threading
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import pytest

from corral import SyncClient
from tests.faults.conftest import LOCK, STALLED_INTERVAL
from tests.faults.exclusive_load import Load
from tests.faults.exclusive_program import tasks
from tests.faults.fleet import Fleet
from tests.faults.oracle import Corner
from tests.faults.runs import Run, runs_of
from tests.faults.test_worker_crash import seed
from tests.faults.witness import Sighting, Witness, until

pytestmark = pytest.mark.faults

KILLS = int(os.environ.get("KILLS") or 200)
WORKERS = 4
AT_ONCE = 0.5
"""Seconds in which a run sees that it is to stop."""
SLACK = 1.5
"""Seconds that a machine busy with starting workers may add to a bound."""


class Story(NamedTuple):
    """What the witness saw, and what the server says in the end."""

    seen: list[Sighting]
    runs: list[Run]
    killed: dict[int, float]
    corner: Corner

    def first(self, what: str) -> dict[str, float]:
        """When something was first said of each job, in the order in which it was said."""
        times: dict[str, float] = {}
        for each in self.seen:
            if each.what == what:
                times.setdefault(each.job, each.at)
        return times

    def runs_by_job(self) -> dict[str, list[Run]]:
        """The runs of each job."""
        found = defaultdict(list)
        for run in self.runs:
            found[run.job].append(run)
        return found


@pytest.fixture
def story(
    client: SyncClient, make_fleet: Callable[..., Fleet], redis_url: str, looked_at: Corner, witness: Witness,
    queue_name: str,
) -> Story:  # fmt: skip
    """Workers are killed at random moments, and replaced, under a load of all three kinds, until all has ended."""
    chance = random.Random(seed())
    fleet = make_fleet(
        redis_url, program="tests.faults.exclusive_program", concurrency=12, max_stalled=100_000
    )
    looked_at.keep_all_events()
    load = Load(client, tasks(queue_name, witness), witness, chance)
    for _ in range(WORKERS):
        fleet.start()
    until(lambda: len(fleet.up) >= WORKERS, 60, "all workers are up")
    killed: dict[int, float] = {}
    with ThreadPoolExecutor(3) as threads:
        loops = [threads.submit(each) for each in (load.singles, load.newest, load.cancels)]
        try:
            while len(killed) < KILLS:
                until(lambda: len(fleet.up) >= WORKERS - 1, 60, "most workers are up")
                threading.Event().wait(chance.uniform(0, 0.2))
                victim = chance.choice(fleet.up)
                victim.kill9()
                killed[victim.pid] = victim.killed_at or 0.0
                fleet.start()
        finally:
            load.over.set()
        for loop in loops:
            loop.result(30)
    until(lambda: looked_at.unfinished() == 0, 120, "all jobs have ended")
    seen = witness.read()
    return Story(seen, runs_of(seen, killed), killed, looked_at)


def test_what_excludes_excludes_though_workers_die(story: Story) -> None:
    """No two runs of a singleton's key overlap; the newest of a key runs to its end and no older one does; a cancelled
    job does not complete, and a later job of the same id does. No accepted job is lost, and none has two outcomes."""
    accepted = story.first("accepted")
    ended = story.corner.ended()
    assert set(accepted) - ended.keys() == set(), "accepted, and in no state at the end"
    print(f"{len(story.killed)} kills, {len(story.runs)} runs, {len(accepted)} jobs")
    check_singles(story, ended)
    check_newest(story, ended)
    check_cancelled(story, ended)


def check_singles(story: Story, ended: dict[str, str]) -> None:
    """One at a time, none lost, and a dead holder is replaced within the time of its lock."""
    by_key: dict[str, list[Run]] = defaultdict(list)
    for run in story.runs:
        if run.job.startswith("s"):
            by_key[run.job.partition(".")[0]].append(run)
    waits = []
    for runs in by_key.values():
        for earlier, later in itertools.pairwise(runs):
            assert earlier.end <= later.start, f"{earlier} overlaps {later}"
            if earlier.how == "killed" and waits_behind(story, earlier, later):
                waits.append(later.start - earlier.end)
    singles = [job for job in ended if job.startswith("s")]
    assert {job: ended[job] for job in singles if ended[job] != "completed"} == {}
    print(
        f"{len(singles)} singleton jobs; after {len(waits)} deaths the next one started "
        f"within {statistics.median(waits):.2f} s (median), {max(waits):.2f} s (longest)"
    )
    assert max(waits) <= LOCK + 2 * STALLED_INTERVAL + SLACK


def waits_behind(story: Story, earlier: Run, later: Run) -> bool:
    """Whether the later job was there already when the holder died."""
    return later.job == earlier.job or story.first("accepted")[later.job] <= earlier.end


def check_newest(story: Story, ended: dict[str, str]) -> None:
    """The newest wins: each older one is superseded unless it had completed before, and sees it at once."""
    by_key: dict[str, list[str]] = defaultdict(list)
    accepted = story.first("accepted")
    for job in accepted:
        if job.startswith("n"):
            by_key[job.partition(".")[0]].append(job)
    ends = story.first("end")
    runs = story.runs_by_job()
    told = []
    for jobs in by_key.values():
        assert ended[jobs[-1]] == "completed", f"{jobs[-1]}, the newest of its key, is {ended[jobs[-1]]}"
        for older, newer in itertools.pairwise(jobs):
            if ended[older] == "completed":
                assert ends[older] <= accepted[newer], f"{older} completed although {newer} had superseded it"
                continue
            assert story.corner.field(older, "failedReason") == f"superseded by {newer}"
            for run in runs[older]:
                assert run.start <= accepted[newer] + SLACK, f"{older} started after {newer} was accepted"
                if run.how == "cancelled":
                    told.append(run.end - accepted[newer])
                assert run.how != "open"
    told = [wait for wait in told if wait > 0]
    print(
        f"{sum(map(len, by_key.values()))} superseding jobs; {len(told)} runs were told "
        f"within {statistics.median(told):.3f} s (median), {max(told):.3f} s (longest)"
    )
    assert statistics.median(told) <= AT_ONCE
    assert max(told) <= AT_ONCE + SLACK


def check_cancelled(story: Story, ended: dict[str, str]) -> None:
    """A job whose cancellation was accepted does not complete nor start again; a later one of its id completes."""
    asked, again = story.first("cancel-accepted"), story.first("adding-again")
    assert len(asked) > 20
    assert len(again) > 3
    for job, at in asked.items():
        if job in again:
            assert ended[job] == "completed", (
                f"{job}, added anew, is {ended[job]}: the old cancellation hit it"
            )
        else:
            assert ended[job] == "failed"
            assert story.corner.field(job, "failedReason") == "cancelled: by the test"
        later = [
            run for run in story.runs_by_job()[job] if at + SLACK < run.start < again.get(job, float("inf"))
        ]
        assert later == [], f"{job} ran after it was cancelled"
    print(f"{len(asked)} jobs cancelled, {len(again)} of their ids used again")
