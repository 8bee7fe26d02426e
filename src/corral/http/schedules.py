"""Schedules: what makes jobs again and again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Query
from pydantic import Field, model_validator

from corral.contracts.options import RunOptions
from corral.contracts.schedule import Cron, Every, Repeat
from corral.contracts.schedule_snapshot import Schedule
from corral.http.action import Action, Operator
from corral.http.catalogue import given_in_full, value_for
from corral.http.desk import TheDesk, TheQueue, may
from corral.http.model import Given, Milliseconds, Moment, Shown, moment_of
from corral.http.paging import Cursor, Limit, Page, page_of, start_of
from corral.http.paths import QueueName, ScheduleId
from corral.http.problem import Problem
from corral.http.strict_body import Resource

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/queues/{queue}/schedules", tags=["schedules"], route_class=Resource)


class Rule(Given):
    """When it runs: by a cron pattern, or after the same time again and again."""

    pattern: str | None = Field(default=None, examples=["0 9 * * 1-5"])
    tz: str = Field(
        default="UTC", description="The zone of the pattern, an IANA name.", examples=["Europe/Berlin"]
    )
    every: Milliseconds | None = Field(default=None, description="The interval in milliseconds.")
    offset: Milliseconds | None = Field(
        default=None, description="Put an interval on a grid: milliseconds behind midnight UTC."
    )
    start: Milliseconds | None = Field(default=None, description="No run before: ms since the epoch.")
    end: Milliseconds | None = Field(default=None, description="No run after: ms since the epoch.")
    limit: int | None = Field(default=None, description="Runs in all.")
    immediately: bool = Field(default=False, description="The first run of a pattern is now.")

    @model_validator(mode="after")
    def _one_of_two(self) -> Rule:
        if (self.pattern is None) == (self.every is None):
            raise ValueError("give pattern or every, one of them")
        return self

    def repeat(self) -> Repeat:
        """As the admin takes it. Raises `InvalidSchedule`."""
        shared: dict[str, Any] = {
            "start": _time(self.start),
            "end": _time(self.end),
            "limit": self.limit,
            "immediately": self.immediately,
        }
        if self.pattern is not None:
            return Cron(self.pattern, tz=self.tz, **shared)
        assert self.every is not None
        offset = None if self.offset is None else self.offset / 1000
        return Every(self.every / 1000, offset=offset, **shared)


class NewSchedule(Given):
    """What to run, and when."""

    handler: str = Field(description="The task's name.", examples=["email.digest"])
    payload: Any = Field(default_factory=dict)
    rule: Rule
    attempts: int | None = None
    priority: int | None = None


class ScheduleModel(Shown):
    """A schedule as it is stored."""

    id: str
    queue: str
    name: str = Field(description="The task that its jobs are for.")
    kind: Literal["cron", "every"] | None = Field(description="Null where the rule cannot be read.")
    pattern: str | None
    tz: str | None
    every: int | None = Field(description="Milliseconds.")
    next_run: Moment | None = Field(description="Null when it has ended.")
    next_job_id: str | None
    iterations: int
    runs_left: int | None
    data: Any
    opts: Any
    malformed: dict[str, str]


class Preview(Shown):
    """The next runs."""

    runs: list[Moment]


@router.get("", summary="List the schedules of a queue")
async def list_schedules(
    desk: TheDesk, queue: TheQueue, limit: Limit = 20, cursor: Cursor = None
) -> Page[ScheduleModel]:
    """The next to run first."""
    start = start_of(cursor)
    found = await queue.schedules.list(start=start, limit=limit)
    return page_of([_shown(desk.redactor.schedule(one)) for one in found], start, limit)


@router.post("/previews", summary="The next runs of a rule")
async def preview_rule(queue: TheQueue, rule: Rule, count: Annotated[int, Query()] = 10) -> Preview:
    """If a schedule were made now. Nothing is stored."""
    runs = await queue.schedules.preview(rule.repeat(), max(1, min(100, count)))
    return Preview(runs=[moment_of(run) for run in runs])


@router.get("/{schedule_id}", summary="Look at a schedule")
async def read_schedule(desk: TheDesk, queue: TheQueue, schedule_id: ScheduleId) -> ScheduleModel:
    """As it is stored, whoever made it."""
    return _shown(desk.redactor.schedule(await _find(queue, schedule_id)))


@router.get("/{schedule_id}/preview", summary="The next runs of a schedule")
async def preview(queue: TheQueue, schedule_id: ScheduleId, count: Annotated[int, Query()] = 10) -> Preview:
    """Up to 100; fewer when it ends."""
    runs = (await _find(queue, schedule_id)).upcoming(max(1, min(100, count)))
    return Preview(runs=[moment_of(run) for run in runs])


@router.put("/{schedule_id}", summary="Make or change a schedule")
async def put_schedule(
    operator: Annotated[Operator, may(Action.SET_SCHEDULE)],
    desk: TheDesk,
    queue: QueueName,
    schedule_id: ScheduleId,
    schedule: NewSchedule,
) -> ScheduleModel:
    """The payload is validated against the task, where that is known."""
    spec = desk.catalogue.resolve(schedule.handler, queue)
    options = cast("RunOptions", schedule.model_dump(include={"attempts", "priority"}, exclude_none=True))
    rule = schedule.rule.repeat()
    async with operator.acting(
        Action.SET_SCHEDULE, f"{queue}/{schedule_id}", **schedule.rule.model_dump(exclude_unset=True)
    ):
        schedules = desk.admin.queue(queue).schedules
        made = await schedules.upsert(
            schedule_id, rule, spec, value_for(spec, given_in_full(schedule.payload)), **options
        )
    return _shown(desk.redactor.schedule(made))


@router.delete("/{schedule_id}", status_code=204, summary="Remove a schedule")
async def remove_schedule(
    operator: Annotated[Operator, may(Action.REMOVE_SCHEDULE)], queue: TheQueue, schedule_id: ScheduleId
) -> None:
    """With its pending job. One that runs goes on."""
    await _find(queue, schedule_id)
    async with operator.acting(Action.REMOVE_SCHEDULE, f"{queue.name}/{schedule_id}"):
        await queue.schedules.remove(schedule_id)


async def _find(queue: TheQueue, schedule_id: str) -> Schedule:
    found = await queue.schedules.get(schedule_id)
    if found is None:
        raise Problem(404, "unknown-schedule", f"queue {queue.name!r} has no schedule {schedule_id[:200]!r}")
    return found


def _shown(schedule: Schedule) -> ScheduleModel:
    rule = schedule.rule
    return ScheduleModel(
        id=schedule.id,
        queue=schedule.queue,
        name=schedule.name,
        kind=None if rule is None else "cron" if isinstance(rule, Cron) else "every",
        pattern=rule.pattern if isinstance(rule, Cron) else None,
        tz=rule.tz if isinstance(rule, Cron) else None,
        every=round(rule.interval.total_seconds() * 1000) if isinstance(rule, Every) else None,
        next_run=schedule.next_ms,
        next_job_id=schedule.next_job_id,
        iterations=schedule.iterations,
        runs_left=schedule.runs_left,
        data=schedule.data,
        opts=dict(schedule.opts.raw),
        malformed=dict(schedule.malformed),
    )


def _time(moment: int | None) -> datetime | None:
    return None if moment is None else datetime.fromtimestamp(moment / 1000, UTC)
