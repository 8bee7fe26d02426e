"""Jobs that are cancelled or superseded from Python, as Node's programs see them."""

from __future__ import annotations

import pytest

from corral import Deduplication, FailureKind, JobCancelled
from corral.admin.jobs import JobsAdmin
from corral.client.queue import QueueClient
from tests.interop.bullmq import Heard, NodeQueue
from tests.interop.snapshot import Raw


async def test_a_job_of_nodes_that_waits(bull: NodeQueue, jobs: JobsAdmin, heard: Heard) -> None:
    """For Node it has failed, with the reason, and is told so."""
    job_id = await bull.add("n", {}, attempts=5)
    assert await jobs.cancel(job_id, "obsolete")
    assert await bull.state(job_id) == "failed"
    assert (await bull.job(job_id))["failedReason"] == "cancelled: obsolete"
    await heard.until("failed")
    assert (await heard.entries())[-1]["fields"]["failedReason"] == "cancelled: obsolete"


async def test_a_job_that_node_runs_goes_on(bull: NodeQueue, jobs: JobsAdmin) -> None:
    """Node does not look at the mark of a job that runs: it completes. So it is documented."""
    job_id = await bull.add("n", {})
    await bull.call("claim", token="t")
    assert not await jobs.cancel(job_id)
    await bull.call("moveToCompleted", jobId=job_id, value=1)
    assert await bull.state(job_id) == "completed"
    found = await jobs.get(job_id)
    assert found is not None
    assert found.failure_kind is None


async def test_started_again_by_node_it_fails(bull: NodeQueue, jobs: JobsAdmin, ours: QueueClient) -> None:
    """After a failed attempt Node's worker fails it instead of running it, and the kind is known."""
    job_id = await bull.add("n", {}, attempts=2)
    await bull.call("claim", token="t")
    await jobs.cancel(job_id, "obsolete")
    await bull.call("moveToFailed", jobId=job_id, message="boom", unrecoverable=False)
    await bull.call("startWorker", worker="w", opts={})
    with pytest.raises(JobCancelled, match="obsolete"):
        await ours.job(job_id).result(timeout=20)
    found = await jobs.get(job_id)
    assert found is not None
    assert found.failure_kind is FailureKind.CANCELLED


async def test_node_reads_the_newest_of_a_key(bull: NodeQueue, ours: QueueClient, raw: Raw) -> None:
    """BullMQ's own key of the deduplication id leads to it, and Node's add with that id gives it."""
    old = await ours.enqueue("n", {}, deduplication=Deduplication.superseding("k"))
    new = await ours.enqueue("n", {}, deduplication=Deduplication.superseding("k"))
    assert [await bull.state(job.id) for job in (old, new)] == ["failed", "waiting"]
    assert await raw.get(f"{bull.prefix}:{bull.name}:de:k") == new.id
    assert await bull.add("n", {}, deduplication={"id": "k"}) == new.id
