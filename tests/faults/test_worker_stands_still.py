"""Workers that stand still: blocked loops keep their locks, stopped processes lose them and may write no more."""

from __future__ import annotations

import re
import signal
import time

import pytest

from corral import SyncClient
from tests.faults.conftest import LOCK, STALLED_INTERVAL
from tests.faults.fleet import Fleet
from tests.faults.oracle import Corner, check
from tests.faults.witness import Sighting, Witness, until

pytestmark = pytest.mark.faults

TOLD = re.compile("Lock lost|Outcome refused")


@pytest.mark.parametrize("name", ["block", "hold_gil"])
def test_a_busy_worker_keeps_its_locks(
    name: str, client: SyncClient, fleet: Fleet, looked_at: Corner, witness: Witness, queue_name: str
) -> None:
    """A handler that blocks the loop, or holds the GIL, for three times the lock is not run again elsewhere."""
    busy = fleet.start().wait_up()
    job = client.queue(queue_name).enqueue(name, 3 * LOCK)
    witness.wait("start", job.id)
    fleet.start().wait_up()
    job.result(timeout=30)
    start, end = witness.read("start")[0], witness.read("end")[0]
    assert end.at - start.at >= 3 * LOCK
    assert [each.pid for each in witness.read("start")] == [busy.pid]
    check(looked_at, [job.id], witness.read())


def test_the_late_outcome_of_a_stopped_worker_is_refused(
    client: SyncClient, fleet: Fleet, looked_at: Corner, witness: Witness, queue_name: str
) -> None:
    """A worker that is stopped (SIGSTOP) past its locks loses its job to another, in time though it still stands in
    line for wake-ups. When it goes on, its progress and its outcome are refused: the job has one outcome."""
    looked_at.keep_all_events()
    stopped = fleet.start().wait_up()
    job = client.queue(queue_name).enqueue("reports", 4.0)
    witness.wait("start", job.id)
    stopped.freeze()  # before the job can end
    other = fleet.start().wait_up()
    served_at = time.monotonic()
    witness.wait("start", job.id, count=2)
    assert witness.read("start", job.id)[1].at - served_at <= LOCK + 2 * STALLED_INTERVAL + 1
    stopped.thaw()
    until(lambda: any(each.pid == stopped.pid for each in said(witness)), 10, "the late run has reported")
    assert {each.what for each in said(witness) if each.pid == stopped.pid} <= {
        "progress-StaleRun",  # it reported first
        "progress-CancelledError",  # it was told first that its lock is lost
    }
    job.result(timeout=20)
    assert (other.pid, "progress-taken") in [(each.pid, each.what) for each in said(witness)]
    until(lambda: TOLD.search(stopped.log.read_text()), 10, "the stopped worker hears of it")
    check(looked_at, [job.id], witness.read())
    assert looked_at.field(job.id, "ats") == "2"
    assert looked_at.field(job.id, "atm") == "1"
    assert stopped.running


def said(witness: Witness) -> list[Sighting]:
    """What handlers said of their reports."""
    return [each for each in witness.read() if each.what.startswith("progress-")]


def test_a_stuck_log_pipe_stops_no_job(
    client: SyncClient, fleet: Fleet, looked_at: Corner, witness: Witness, queue_name: str
) -> None:
    """A worker whose standard output nobody reads any more loses log lines, and no time: jobs run, and it stops when
    asked to."""
    worker = fleet.start(stuck_log=True, concurrency=20).wait_up()
    jobs = client.queue(queue_name).enqueue_many("nap", [0.001] * 2000, remove_on_complete=False)
    until(lambda: looked_at.unfinished() == 0, 30, "all jobs have ended")
    assert len(witness.read("end")) == len(jobs)
    worker.signal(signal.SIGTERM)
    assert worker.wait(15) == 0
