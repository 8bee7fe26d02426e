"""An operator cancels several jobs."""

from __future__ import annotations

from corral.admin.queue import QueueAdmin
from corral.client.queue import QueueClient
from corral.contracts.states import JobState
from corral.errors import JobGone, JobNotInState


async def test_several(operated: QueueAdmin, produced: QueueClient) -> None:
    """One after the other: which were, and why the others were not; somebody may follow."""
    jobs = await produced.enqueue_many("n", [1, 2, 3])
    await jobs[1].cancel()
    steps: list[tuple[int, int]] = []
    batch = await operated.jobs.cancel_many(
        [*(job.id for job in jobs), "none"],
        "obsolete",
        on_progress=lambda done, all_of: steps.append((done, all_of)),
    )
    assert batch.done == (jobs[0].id, jobs[2].id)
    assert {job: type(error) for job, error in batch.refused.items()} == {
        jobs[1].id: JobNotInState,
        "none": JobGone,
    }
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert (await operated.jobs.list(JobState.FAILED))[0].failed_reason == "cancelled: obsolete"
