"""Many jobs at once: by their ids, or by what they have in common, with a count first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import Field, model_validator

from corral.admin.batch import Batch
from corral.admin.bulk import JobFilter
from corral.contracts.states import JobState
from corral.http.action import Action, Operator
from corral.http.bounded import Outcome, within_time
from corral.http.desk import TheQueue, may
from corral.http.model import Given, Milliseconds, Shown
from corral.http.problem import problem_of
from corral.http.strict_body import Resource

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/queues/{queue}", tags=["jobs"], route_class=Resource)

MOST_IDS = 1000
Ids = Annotated[list[str], Field(min_length=1, max_length=MOST_IDS)]


class Where(Given):
    """Which finished jobs: all that is given has to be so."""

    name: str = Field(default="", description="The task's name.")
    reason: str = Field(default="", description="A text that stands in the reason of failure.")
    finished_after: Milliseconds | None = Field(
        default=None, description="Ended then or later, ms since the epoch."
    )
    finished_before: Milliseconds | None = Field(
        default=None, description="Ended earlier, ms since the epoch."
    )

    def filter(self) -> JobFilter:
        """As the admin takes it. Raises `InvalidOption`."""
        return JobFilter(self.name, self.reason, _time(self.finished_after), _time(self.finished_before))


class Retries(Given):
    """Which jobs to run again: some by their ids, or all of a state that match."""

    ids: Ids | None = None
    state: Literal["failed", "completed"] = "failed"
    where: Where = Where()
    limit: int | None = Field(default=None, ge=1, description="At most so many.")
    reset_attempts: bool = Field(default=False, description="With all of their attempts.")
    dry_run: bool = Field(default=False, description="Only count them.")

    @model_validator(mode="after")
    def _either(self) -> Retries:
        if self.ids is not None and self.model_fields_set & {"where", "state", "limit", "dry_run"}:
            raise ValueError("give ids, or state and where, not both")
        return self


class Promotions(Given):
    """Which delayed jobs to make ready: some by their ids, or all."""

    ids: Ids | None = Field(default=None, description="Null: all.")


class Removals(Given):
    """Which jobs to remove."""

    ids: Ids
    children: bool = Field(default=True, description="With those below them.")


class Cancellations(Given):
    """Which jobs to cancel."""

    ids: Ids
    reason: str = Field(default="", description="At most 1,000 characters.")


class Refusal(Shown):
    """Why it was not done for one job."""

    job_id: str
    type: str = Field(examples=["job-not-in-state"])
    detail: str


class BatchOutcome(Shown):
    """For which jobs it was done."""

    done: list[str]
    refused: list[Refusal]


@router.post("/retries", summary="Run finished jobs again")
async def retry(
    operator: Annotated[Operator, may(Action.RETRY_JOBS)], queue: TheQueue, retries: Retries
) -> Outcome | BatchOutcome:
    """By ids: which ran, and why others did not. Else all that match, the oldest first; with `dryRun` only their
    number, and nothing is changed."""
    if retries.dry_run:
        where = retries.where.filter()
        return await within_time(
            lambda report: queue.jobs.count_matching(retries.state, where=where, on_progress=report)
        )
    async with operator.acting(
        Action.RETRY_JOBS, queue.name, **retries.model_dump(exclude_unset=True)
    ) as detail:
        outcome = await _retry(queue, retries)
        detail.update(_told(outcome))
    return outcome


async def _retry(queue: TheQueue, retries: Retries) -> Outcome | BatchOutcome:
    if retries.ids is not None:
        return _batch(await queue.jobs.retry_many(retries.ids, reset_attempts=retries.reset_attempts))
    where = retries.where.filter()
    return await within_time(
        lambda report: queue.jobs.retry_all(
            JobState(retries.state),
            where=where,
            limit=retries.limit,
            reset_attempts=retries.reset_attempts,
            on_progress=report,
        )
    )


@router.post("/promotions", summary="Make delayed jobs ready")
async def promote(
    operator: Annotated[Operator, may(Action.PROMOTE_JOBS)], queue: TheQueue, promotions: Promotions
) -> Outcome | BatchOutcome:
    """Some by their ids, in their order, or all, in the order in which they are due."""
    outcome: Outcome | BatchOutcome
    async with operator.acting(Action.PROMOTE_JOBS, queue.name, ids=promotions.ids) as detail:
        if promotions.ids is not None:
            outcome = _batch(await queue.jobs.promote_many(promotions.ids))
        else:
            outcome = await within_time(lambda report: queue.jobs.promote_all(on_progress=report))
        detail.update(_told(outcome))
    return outcome


@router.post("/removals", summary="Remove some jobs")
async def remove(
    operator: Annotated[Operator, may(Action.REMOVE_JOBS)], queue: TheQueue, removals: Removals
) -> BatchOutcome:
    """One after the other, as a single one is removed."""
    async with operator.acting(Action.REMOVE_JOBS, queue.name, ids=removals.ids) as detail:
        outcome = _batch(await queue.jobs.remove_many(removals.ids, children=removals.children))
        detail.update(_told(outcome))
    return outcome


@router.post("/cancellations", summary="Cancel some jobs")
async def cancel(
    operator: Annotated[Operator, may(Action.CANCEL_JOBS)], queue: TheQueue, cancellations: Cancellations
) -> BatchOutcome:
    """One after the other, as a single one is cancelled."""
    said = cancellations.model_dump()
    async with operator.acting(Action.CANCEL_JOBS, queue.name, **said) as detail:
        outcome = _batch(await queue.jobs.cancel_many(cancellations.ids, cancellations.reason))
        detail.update(_told(outcome))
    return outcome


def _batch(batch: Batch) -> BatchOutcome:
    told = [(job_id, problem_of(error)) for job_id, error in batch.refused.items()]
    refused = [Refusal(job_id=job_id, type=one.kind, detail=one.detail) for job_id, one in told]
    return BatchOutcome(done=list(batch.done), refused=refused)


def _told(outcome: Outcome | BatchOutcome) -> dict[str, Any]:
    """What the operator log keeps of it."""
    if isinstance(outcome, BatchOutcome):
        return {"done": len(outcome.done), "refused": len(outcome.refused)}
    return outcome.model_dump()


def _time(moment: int | None) -> datetime | None:
    return None if moment is None else datetime.fromtimestamp(moment / 1000, UTC)
