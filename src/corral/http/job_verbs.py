"""What is done to one job: retries, promotions, removal, changes of payload, priority and delay."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from corral.http.action import Action, Operator
from corral.http.catalogue import given_in_full, value_for
from corral.http.desk import TheDesk, TheJob, TheQueue, may
from corral.http.model import Given, Milliseconds, Shown
from corral.http.paths import JobId
from corral.http.strict_body import Resource

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/queues/{queue}/jobs/{job_id}", tags=["jobs"], route_class=Resource)


Digest = Annotated[
    str | None,
    Field(description="The job's `digest`: only if it still has the payload that was read with it."),
]


class Retry(Given):
    """How to run it again."""

    reset_attempts: bool = Field(default=False, description="With all of its attempts.")
    lifo: bool | None = Field(
        default=None, description="Before the others of its priority; null: as its options say."
    )


class Cancellation(Given):
    """Why, and how far."""

    reason: str = Field(default="", description="At most 1,000 characters.")
    children: bool = Field(default=False, description="Also all below it in a flow that have not ended.")


class Cancelled(Shown):
    """What a cancellation did."""

    ended: bool = Field(description="False: it runs, and its worker is told; it ends no other way.")


class Change(Given):
    """What to change: what is given."""

    digest: Digest = None
    data: Any = Field(default=None, description="The payload of its next run; one that runs has the old one.")
    priority: int | None = Field(default=None, description="0 for none; a lower number runs sooner.")
    delay: Milliseconds | None = Field(
        default=None, description="Due so many milliseconds from now. For delayed jobs."
    )


class Replay(Given):
    """The payload to run it with."""

    payload: Any = Field(description="Any JSON value that its task takes.")
    digest: Digest = None


class LogLine(Given):
    """A line for its log."""

    line: str = Field(max_length=65_536)


class Removed(Shown):
    """What a removal took along."""

    count: int = Field(description="How many jobs were removed: this one and those below it in a flow.")


@router.post("/retries", status_code=204, summary="Run a finished job again")
async def retry(
    operator: Annotated[Operator, may(Action.RETRY_JOBS)],
    queue: TheQueue,
    job_id: JobId,
    retry: Retry | None = None,
) -> None:
    """Failed or completed: its outcome is forgotten, its log stays."""
    how = retry or Retry()
    async with operator.acting(Action.RETRY_JOBS, f"{queue.name}/{job_id}", **how.model_dump()):
        await queue.jobs.retry(job_id, reset_attempts=how.reset_attempts, lifo=how.lifo)


@router.post("/promotions", status_code=204, summary="Make a delayed job ready now")
async def promote(
    operator: Annotated[Operator, may(Action.PROMOTE_JOBS)], queue: TheQueue, job_id: JobId
) -> None:
    """It runs as soon as a worker has room."""
    async with operator.acting(Action.PROMOTE_JOBS, f"{queue.name}/{job_id}"):
        await queue.jobs.promote(job_id)


@router.post("/cancellations", summary="Cancel a job")
async def cancel(
    operator: Annotated[Operator, may(Action.CANCEL_JOBS)],
    queue: TheQueue,
    job_id: JobId,
    cancellation: Cancellation | None = None,
) -> Cancelled:
    """In any state in which it has not ended. It fails for good, without a retry, with `cancelled: <reason>`."""
    how = cancellation or Cancellation()
    async with operator.acting(Action.CANCEL_JOBS, f"{queue.name}/{job_id}", **how.model_dump()):
        return Cancelled(ended=await queue.jobs.cancel(job_id, how.reason, children=how.children))


@router.patch("", status_code=204, summary="Change a job")
async def change(
    operator: Annotated[Operator, may(Action.EDIT_JOB)],
    desk: TheDesk,
    queue: TheQueue,
    job: TheJob,
    change: Change,
) -> None:
    """Its delay first, which a job that is not delayed refuses; then priority and payload. The payload is validated
    before anything is changed, where its task is known."""
    given = change.model_fields_set - {"digest"}
    if change.digest is not None:
        desk.check_seen(job, change.digest)
    spec = desk.catalogue.find(job.queue, job.name)
    value = value_for(spec, given_in_full(change.data)) if "data" in given else None
    async with operator.acting(Action.EDIT_JOB, f"{queue.name}/{job.id}", changed=sorted(given)):
        if change.delay is not None:
            await queue.jobs.set_delay(job.id, timedelta(milliseconds=change.delay))
        if change.priority is not None:
            await queue.jobs.set_priority(job.id, change.priority)
        if "data" in given:
            await queue.jobs.set_data(job.id, value, task=spec)


@router.post("/replays", status_code=204, summary="Run a finished job again with another payload")
async def replay(
    operator: Annotated[Operator, may(Action.REPLAY_JOB)],
    desk: TheDesk,
    queue: TheQueue,
    job: TheJob,
    replay: Replay,
) -> None:
    """With all of its attempts. The payload is validated where its task is known; when it is not valid, nothing is
    changed."""
    spec = desk.catalogue.find(job.queue, job.name)
    if replay.digest is not None:
        desk.check_seen(job, replay.digest)
    value = value_for(spec, given_in_full(replay.payload))
    async with operator.acting(Action.REPLAY_JOB, f"{queue.name}/{job.id}"):
        await queue.jobs.replay(job.id, value, task=spec)


@router.delete("", summary="Remove a job")
async def remove(
    operator: Annotated[Operator, may(Action.REMOVE_JOBS)],
    queue: TheQueue,
    job_id: JobId,
    children: bool = True,
) -> Removed:
    """With all that is kept of it and everything below it in a flow. One that runs is refused."""
    async with operator.acting(Action.REMOVE_JOBS, f"{queue.name}/{job_id}", children=children) as detail:
        count = detail["count"] = await queue.jobs.remove(job_id, children=children)
    return Removed(count=count)


@router.post("/logs", status_code=204, summary="Add a line to a job's log")
async def add_log(
    operator: Annotated[Operator, may(Action.EDIT_JOB)], queue: TheQueue, job_id: JobId, line: LogLine
) -> None:
    """For remarks of operators."""
    async with operator.acting(Action.EDIT_JOB, f"{queue.name}/{job_id}", changed=["log"]):
        await queue.jobs.add_log(job_id, line.line)
