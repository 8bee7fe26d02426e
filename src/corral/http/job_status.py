"""The job status API: how a job is, how many there are. For admins only."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field

from corral.contracts.states import JobState
from corral.http.access import requires
from corral.http.desk import TheDesk, TheJob, TheQueue
from corral.http.job_model import JobModel
from corral.http.model import Shown
from corral.http.strict_body import Resource
from corral.store.roles import Role

__all__ = ["router"]

router = APIRouter(
    prefix="/api/v1/jobs/{queue}",
    tags=["job status"],
    route_class=Resource,
    dependencies=[requires(Role.ADMIN)],
)


class Stats(Shown):
    """How many jobs are in each state."""

    waiting: int = Field(
        description="Ready to run: in line, prioritized or not, also while the queue is paused."
    )
    active: int
    completed: int
    failed: int
    delayed: int


@router.get("/stats", summary="How many jobs of each state a queue has")
async def read_stats(queue: TheQueue) -> Stats:
    """Counts at one moment. A job whose id is `stats` is found at `/api/v1/queues/{queue}/jobs/stats`."""
    counts = await queue.counts()
    return Stats(
        waiting=counts[JobState.WAITING] + counts[JobState.PRIORITIZED],
        active=counts[JobState.ACTIVE],
        completed=counts[JobState.COMPLETED],
        failed=counts[JobState.FAILED],
        delayed=counts[JobState.DELAYED],
    )


@router.get("/{job_id}", summary="How a job is")
async def read_status(desk: TheDesk, job: TheJob) -> JobModel:
    """State, progress, payload, result, attempts made and the reason of failure, with all else that is kept of it."""
    return desk.show(job)
