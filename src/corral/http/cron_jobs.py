"""Cron jobs in the database. For admins only."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path
from pydantic import Field

from corral.http.access import requires
from corral.http.action import Action, Operator
from corral.http.catalogue import given_in_full
from corral.http.desk import TheCronJobs, TheCronSchedules, TheDesk, may
from corral.http.job_model import JobModel
from corral.http.model import Given, Moment, Shown, moment_of
from corral.http.paging import Cursor, Limit, Page, next_cursor, place_of
from corral.http.paths import Segment
from corral.http.problem import Problem
from corral.http.strict_body import Resource
from corral.store.cron_job import CronJob, StoredCronJob
from corral.store.roles import Role

__all__ = ["router"]

router = APIRouter(prefix="/api/admin/cronJob", tags=["cron jobs"], route_class=Resource)

TO_LOOK: Final = [requires(Role.ADMIN)]
"""What looking takes. Changes take what their actions say, and leave in the operator log that they were refused."""

CronJobId = Annotated[str, Path(description="Its `id`."), Segment]


class CronJobFields(Given):
    """What can be said of a cron job."""

    job_id: str = Field(
        description="Its own name: the same one is one cron job.", examples=["nightly-report"]
    )
    pattern: str = Field(examples=["0 9 * * 1-5"])
    handler: str = Field(description="The task's name.", examples=["report.send"])
    queue: str = Field(default="", description="Needed where the handler alone does not say it.")
    name: str = Field(default="", description="For people.")
    payload: Any = Field(default_factory=dict)
    enabled: bool = True
    max_attempts: int = Field(default=3, description="Runs in all.")
    backoff_ms: int = Field(
        default=1000, description="Before the second run; twice as long before each further one."
    )
    tz: str = Field(default="UTC", description="By whose clock it runs.", examples=["Europe/Berlin"])


class CronJobChange(Given):
    """What to change: what is given."""

    job_id: str | None = None
    pattern: str | None = None
    handler: str | None = None
    queue: str | None = None
    name: str | None = None
    payload: Any = None
    enabled: bool | None = None
    max_attempts: int | None = None
    backoff_ms: int | None = None
    tz: str | None = None
    revision: int | None = Field(default=None, description="Only if this is the latest.")


class CronJobModel(Shown):
    """A cron job as it is stored."""

    id: str
    job_id: str
    name: str
    pattern: str
    tz: str
    queue: str
    handler: str
    payload: Any
    enabled: bool
    max_attempts: int
    backoff_ms: int
    created_at: Moment
    updated_at: Moment
    revision: int = Field(description="How often it was changed, from 1.")
    owner: str = Field(
        description="`code`: the program declares all of it; `operator`: somebody made or edited it."
    )
    declared: bool = Field(description="Whether the program declares it.")
    edited: list[str] = Field(description="Fields that an operator has set: the program leaves them alone.")
    problem: str | None = Field(description="Why it does not run, if it cannot. The others run.")


class CronHistoryModel(Shown):
    """Jobs of a cron job."""

    jobs: list[JobModel]
    since: Moment | None = Field(description="Older ones were not looked for; null: all were.")


@router.get("", summary="List the cron jobs", dependencies=TO_LOOK)
async def list_cron_jobs(
    desk: TheDesk, cron_jobs: TheCronJobs, limit: Limit = 20, cursor: Cursor = None
) -> Page[CronJobModel]:
    """By their job ids."""
    found = await cron_jobs.list(after=None if cursor is None else place_of(cursor), limit=limit)
    items = [_shown(desk.redactor.cron_job(one)) for one in found.cron_jobs]
    return Page(items=items, next=None if found.after is None else next_cursor(found.after))


@router.post("", status_code=201, summary="Create a cron job")
async def create_cron_job(
    operator: Annotated[Operator, may(Action.CREATE_CRON_JOB)],
    desk: TheDesk,
    schedules: TheCronSchedules,
    given: CronJobFields,
) -> CronJobModel:
    """It is checked as a whole: pattern, zone, task and payload. It holds at once if its task is known here, else as
    soon as a worker looks, every five seconds."""
    given_in_full(given.payload)
    wanted = CronJob(**given.model_dump())
    async with operator.acting(Action.CREATE_CRON_JOB, given.job_id) as detail:
        made = await schedules.cron_jobs.create(wanted)
        detail["id"] = made.id
        await schedules.take_up(made.id)
    return _shown(desk.redactor.cron_job(made))


@router.get("/{cron_job_id}", summary="Look at a cron job", dependencies=TO_LOOK)
async def read_cron_job(desk: TheDesk, cron_jobs: TheCronJobs, cron_job_id: CronJobId) -> CronJobModel:
    """As it is stored."""
    return _shown(desk.redactor.cron_job(await _find(cron_jobs, cron_job_id)))


@router.patch("/{cron_job_id}", summary="Change a cron job")
async def update_cron_job(
    operator: Annotated[Operator, may(Action.UPDATE_CRON_JOB)],
    desk: TheDesk,
    schedules: TheCronSchedules,
    cron_job_id: CronJobId,
    change: CronJobChange,
) -> CronJobModel:
    """The fields that are given. Of one that the program declares they stay so, whatever the next deploy says. A pause
    holds at once, all else as for a new one."""
    changes: Any = change.model_dump(exclude_unset=True, exclude={"revision"})
    given_in_full(changes.get("payload"))
    if not {"queue", "handler"}.isdisjoint(changes) and "payload" not in changes:
        # What this task's types mask, another one's may show.
        given_in_full(desk.redactor.cron_job(await _find(schedules.cron_jobs, cron_job_id)).payload)
    async with operator.acting(Action.UPDATE_CRON_JOB, cron_job_id, changed=sorted(changes)):
        changed = await schedules.cron_jobs.update(cron_job_id, revision=change.revision, **changes)
        await schedules.take_up(changed.id)
    return _shown(desk.redactor.cron_job(changed))


@router.delete("/{cron_job_id}", status_code=204, summary="Delete a cron job")
async def delete_cron_job(
    operator: Annotated[Operator, may(Action.DELETE_CRON_JOB)],
    schedules: TheCronSchedules,
    cron_job_id: CronJobId,
) -> None:
    """No further job is made of it; one that runs goes on. A declared one does not come back with the next deploy."""
    async with operator.acting(Action.DELETE_CRON_JOB, cron_job_id):
        await schedules.cron_jobs.delete(cron_job_id)
        await schedules.take_up(cron_job_id)


@router.post("/{cron_job_id}/trigger", status_code=201, summary="Run a cron job now")
async def trigger_cron_job(
    operator: Annotated[Operator, may(Action.TRIGGER_CRON_JOB)],
    desk: TheDesk,
    schedules: TheCronSchedules,
    cron_job_id: CronJobId,
) -> JobModel:
    """Enabled or not: 201 with the job, of the kind `cronTrigger`. The schedule goes on as before."""
    cron_job = await _find(schedules.cron_jobs, cron_job_id)
    async with operator.acting(Action.TRIGGER_CRON_JOB, cron_job_id, cronJob=cron_job.job_id) as detail:
        handle = await schedules.trigger(cron_job)
        detail["job"] = handle.id
    return await desk.show_added(cron_job.queue, cron_job.handler, cron_job.payload, handle.id)


@router.get("/{cron_job_id}/history", summary="The jobs of a cron job", dependencies=TO_LOOK)
async def read_history(
    desk: TheDesk, schedules: TheCronSchedules, cron_job_id: CronJobId, limit: Limit = 20
) -> CronHistoryModel:
    """Scheduled and triggered ones, as far as the queue keeps them."""
    cron_job = await _find(schedules.cron_jobs, cron_job_id)
    found = await schedules.history(cron_job, limit=limit)
    return CronHistoryModel(jobs=[desk.show(job) for job in found.jobs], since=moment_of(found.since))


async def _find(cron_jobs: TheCronJobs, cron_job_id: str) -> StoredCronJob:
    found = await cron_jobs.get(cron_job_id)
    if found is None:
        raise Problem(404, "cron-job-gone", f"there is no cron job {cron_job_id[:200]!r}")
    return found


def _shown(cron_job: StoredCronJob) -> CronJobModel:
    fields: dict[str, Any] = asdict(cron_job)
    times = {name: moment_of(value) for name, value in fields.items() if isinstance(value, datetime)}
    fields |= times | {"edited": list(cron_job.edited)}
    return CronJobModel(**fields)
