"""What is done to a whole queue: pauses, drains, cleanings, obliterations."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field

from corral.contracts.states import JobState
from corral.http.action import Action, Operator
from corral.http.bounded import Outcome, within_time
from corral.http.desk import TheDesk, TheQueue, may
from corral.http.model import Given, Milliseconds
from corral.http.problem import Problem
from corral.http.strict_body import Resource

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/queues/{queue}", tags=["queues"], route_class=Resource)

Cleanable = Literal["completed", "failed", "delayed", "prioritized", "waiting", "active"]


class Drain(Given):
    """Which jobs to drain."""

    delayed: bool = Field(default=False, description="Delayed jobs too.")


class Cleaning(Given):
    """Which jobs to remove."""

    state: Cleanable
    older_than: Milliseconds = Field(
        description="Those that ended, else started, else were added so long ago.", examples=[604800000]
    )
    limit: int | None = Field(default=None, ge=1, description="At most so many.")


class Obliteration(Given):
    """That it is meant."""

    confirm: str = Field(description="The queue's name, once more.")
    force: bool = Field(default=False, description="Also when workers hold jobs.")


@router.post("/pauses", status_code=204, summary="Pause a queue")
async def pause(operator: Annotated[Operator, may(Action.PAUSE_QUEUE)], queue: TheQueue) -> None:
    """It hands out no more jobs; what runs goes on. Nothing happens when it is paused."""
    async with operator.acting(Action.PAUSE_QUEUE, queue.name):
        await queue.pause()


@router.delete("/pauses", status_code=204, summary="Resume a queue")
async def resume(operator: Annotated[Operator, may(Action.RESUME_QUEUE)], queue: TheQueue) -> None:
    """It hands out jobs again. Nothing happens when it is not paused."""
    async with operator.acting(Action.RESUME_QUEUE, queue.name):
        await queue.resume()


@router.post("/drains", summary="Remove the jobs that wait to run")
async def drain(
    operator: Annotated[Operator, may(Action.DRAIN_QUEUE)], queue: TheQueue, drain: Drain | None = None
) -> Outcome:
    """Running and finished jobs, waiting parents and the next runs of schedules stay."""
    delayed = drain is not None and drain.delayed
    async with operator.acting(Action.DRAIN_QUEUE, queue.name, delayed=delayed) as detail:
        outcome = await within_time(lambda report: queue.drain(delayed=delayed, on_progress=report))
        detail.update(outcome.model_dump())
    return outcome


@router.post("/cleanings", summary="Remove jobs of one state")
async def clean(
    operator: Annotated[Operator, may(Action.CLEAN_QUEUE)], queue: TheQueue, cleaning: Cleaning
) -> Outcome:
    """Those of a certain age. Of active jobs only such whose worker is gone."""
    async with operator.acting(Action.CLEAN_QUEUE, queue.name, **cleaning.model_dump()) as detail:
        outcome = await within_time(
            lambda report: queue.clean(
                JobState(cleaning.state),
                older_than=timedelta(milliseconds=cleaning.older_than),
                limit=cleaning.limit,
                on_progress=report,
            )
        )
        detail.update(outcome.model_dump())
    return outcome


@router.post("/obliterations", summary="Remove a queue with everything in it")
async def obliterate(
    operator: Annotated[Operator, may(Action.OBLITERATE_QUEUE)],
    desk: TheDesk,
    queue: TheQueue,
    obliteration: Obliteration,
) -> Outcome:
    """Jobs of all states, schedules, events, metrics, settings. It is paused first. For admins only."""
    if obliteration.confirm != queue.name:
        message = "give the queue's name, to show that it is meant"
        raise Problem(422, "not-confirmed", message, errors=[{"path": "confirm", "message": message}])
    async with operator.acting(Action.OBLITERATE_QUEUE, queue.name, force=obliteration.force) as detail:
        outcome = await within_time(
            lambda report: queue.obliterate(force=obliteration.force, on_progress=report)
        )
        detail.update(outcome.model_dump())
    desk.queue_names.forget()
    return outcome
