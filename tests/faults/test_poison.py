"""Jobs that kill what runs them."""

from __future__ import annotations

import os
import select
import time
from pathlib import Path

import pytest

from corral import JobFailed, SyncClient
from tests.faults.fleet import Fleet
from tests.faults.oracle import Corner, check
from tests.faults.witness import Witness, until

pytestmark = pytest.mark.faults


def test_a_poison_pill_fails_after_its_allowed_stalls(
    client: SyncClient, fleet: Fleet, looked_at: Corner, witness: Witness, queue_name: str
) -> None:
    """A job that kills its worker each time is started max_stalled + 1 times and then fails, with the reason; the
    jobs behind it run."""
    looked_at.keep_all_events()
    queue = client.queue(queue_name)
    pill = queue.enqueue("kill_worker")
    others = [queue.enqueue("nap", 0.01) for _ in range(20)]
    deadline = time.monotonic() + 40
    while looked_at.unfinished():
        assert time.monotonic() < deadline
        worker = fleet.start(concurrency=1).wait_up()
        until(lambda: not worker.running or not looked_at.unfinished(), 20, "the worker died, or all is done")  # noqa: B023
    with pytest.raises(JobFailed, match="stalled more than allowable limit"):
        pill.result(timeout=5)
    check(looked_at, [pill.id, *(job.id for job in others)], witness.read())
    assert len(witness.read("start", pill.id)) == 2
    assert looked_at.ended()[pill.id] == "failed"
    assert {looked_at.ended()[job.id] for job in others} == {"completed"}


def test_a_process_that_ends_itself_costs_one_attempt(
    client: SyncClient, fleet: Fleet, looked_at: Corner, witness: Witness, queue_name: str
) -> None:
    """An `InProcess` handler that ends its process is a failed attempt with the exit code as reason, no more: the
    worker goes on."""
    worker = fleet.start().wait_up()
    job = client.queue(queue_name).enqueue("exits", 3, attempts=2, backoff=0.01)
    with pytest.raises(JobFailed, match="exit code 3") as failure:
        job.result(timeout=30)
    assert failure.value.attempts_made == 2
    client.queue(queue_name).enqueue("nap", 0.0).result(timeout=10)
    assert worker.running
    assert looked_at.field(job.id, "stc") is None


def test_handler_processes_end_with_their_worker(
    client: SyncClient, fleet: Fleet, tmp_path: Path, queue_name: str
) -> None:
    """When a worker is killed with -9, the processes of its handlers die within a second."""
    worker = fleet.start().wait_up()
    told = tmp_path / "pid"
    client.queue(queue_name).enqueue("lingers", str(told))
    until(lambda: told.exists() and told.read_text(), 30, "the handler's process is at work")
    child = os.pidfd_open(int(told.read_text()))
    worker.kill9()
    assert select.select([child], [], [], 1.0)[0]
    os.close(child)
