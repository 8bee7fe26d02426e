"""`corral cron-job …`: the cron jobs of the database, from which workers make schedules."""

from __future__ import annotations

import getpass
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.table import Table

from corral.cli.cron_job_options import Attempts, CronJobId, Enabled, Payload, Tasks, changes_of
from corral.cli.database import with_database
from corral.cli.enqueue import parsed
from corral.cli.failure import CorralGroup
from corral.cli.operate import agreed
from corral.cli.options import DatabaseUrl, Json, Prefix, Url, Yes
from corral.cli.output import console, print_json, remark, shown
from corral.cli.target import load_sources
from corral.client.client import Client
from corral.errors import CronJobGone

if TYPE_CHECKING:
    from corral.store.cron_job import StoredCronJob
    from corral.store.cron_jobs import CronJobPage, CronJobs
    from corral.store.database import Database

__all__ = ["cron_job"]

T = TypeVar("T")

cron_job = typer.Typer(
    name="cron-job",
    cls=CorralGroup,
    no_args_is_help=True,
    help="The cron jobs of the database: look at them, make, change, delete and trigger them.",
)


@cron_job.command("list")
def listed(
    after: Annotated[
        str | None, typer.Option(metavar="JOB_ID", help="Those behind this one.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most so many.")] = 50,
    tasks: Tasks = None,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """List cron jobs, by their job ids."""

    async def read(cron_jobs: CronJobs) -> CronJobPage:
        return await cron_jobs.list(after=after, limit=limit)

    page = _with_cron_jobs(database_url, tasks, read)
    if as_json:
        print_json([one.as_json() for one in page.cron_jobs])
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("job id", "queue", "task", "pattern", "zone", "", "owner", "problem"):
        table.add_column(column, overflow="fold")
    for one in page.cron_jobs:
        rule = (one.job_id, one.queue, one.handler, one.pattern, one.tz)
        table.add_row(*map(shown, rule), "" if one.enabled else "off", one.owner, shown(one.problem or ""))
    console().print(table) if page.cron_jobs else remark("no cron jobs")
    if page.after is not None:
        remark(f"there are more: --after {shown(page.after)}")


@cron_job.command()
def show(
    job_id: CronJobId, tasks: Tasks = None, database_url: DatabaseUrl = None, as_json: Json = False
) -> None:
    """Show a cron job."""
    found = _with_cron_jobs(database_url, tasks, lambda cron_jobs: _find(cron_jobs, job_id))
    if as_json:
        print_json(found.as_json())
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, value in found.as_json().items():
        table.add_row(name, shown(value))
    console().print(table)


@cron_job.command()
def create(
    job_id: CronJobId,
    pattern: Annotated[str, typer.Argument(metavar="PATTERN", help='"0 9 * * 1-5".', show_default=False)],
    task: Annotated[str, typer.Argument(metavar="NAME", help="The task's name.", show_default=False)],
    payload: Annotated[str, typer.Argument(metavar="JSON", help="The payload of its jobs.")] = "{}",
    queue: Annotated[
        str, typer.Option(help="Its queue; with --tasks the one that has the task.", show_default=False)
    ] = "",
    name: Annotated[str, typer.Option(help="For people.", show_default=False)] = "",
    tz: Annotated[str, typer.Option(help="The time zone of the pattern.")] = "UTC",
    attempts: Annotated[int, typer.Option(min=1, help="Runs in all.")] = 3,
    enabled: Annotated[bool, typer.Option("--enabled/--disabled", help="Whether it makes jobs.")] = True,
    tasks: Tasks = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Make a cron job. Workers that follow the database take it up within seconds."""
    data = parsed(payload)

    async def act(cron_jobs: CronJobs) -> StoredCronJob:
        from corral.store.cron_job import CronJob

        wanted = CronJob(
            job_id=job_id, pattern=pattern, handler=task, queue=queue, name=name, payload=data,
            enabled=enabled, max_attempts=attempts, tz=tz,
        )  # fmt: skip
        made = await cron_jobs.create(wanted)
        await _note(cron_jobs, "cronJob.create", job_id, id=made.id)
        return made

    made = _with_cron_jobs(database_url, tasks, act)
    remark(f"cron job {shown(made.job_id)} makes jobs of {shown(made.handler)} in queue {shown(made.queue)}")


@cron_job.command()
def update(
    job_id: CronJobId,
    pattern: Annotated[str | None, typer.Option(help='"0 9 * * 1-5".', show_default=False)] = None,
    task: Annotated[str | None, typer.Option(help="The task's name.", show_default=False)] = None,
    queue: Annotated[str | None, typer.Option(help="Its queue.", show_default=False)] = None,
    name: Annotated[str | None, typer.Option(help="For people.", show_default=False)] = None,
    tz: Annotated[str | None, typer.Option(help="The zone of the pattern.", show_default=False)] = None,
    payload: Payload = None,
    attempts: Attempts = None,
    enabled: Enabled = None,
    tasks: Tasks = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Change a cron job: what is given, and nothing else. Of one that a program declares it stays so."""
    changes = changes_of(
        pattern=pattern, handler=task, queue=queue, name=name, tz=tz, enabled=enabled, max_attempts=attempts,
        payload=None if payload is None else parsed(payload),
    )  # fmt: skip

    async def act(cron_jobs: CronJobs) -> None:
        found = await _find(cron_jobs, job_id)
        await cron_jobs.update(found.id, revision=found.revision, **changes)
        await _note(cron_jobs, "cronJob.update", job_id, changed=sorted(changes))

    _with_cron_jobs(database_url, tasks, act)
    remark(f"cron job {shown(job_id)} is changed")


@cron_job.command()
def delete(job_id: CronJobId, yes: Yes = False, database_url: DatabaseUrl = None) -> None:
    """Delete a cron job: no further job is made of it. One that runs goes on."""

    async def act(cron_jobs: CronJobs) -> None:
        found = await _find(cron_jobs, job_id)
        agreed(f"Delete cron job {shown(job_id)}?", yes)
        await cron_jobs.delete(found.id)
        await _note(cron_jobs, "cronJob.delete", job_id)

    _with_cron_jobs(database_url, None, act)


@cron_job.command()
def trigger(
    job_id: CronJobId,
    tasks: Tasks = None,
    url: Url = None,
    prefix: Prefix = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Run a cron job now, enabled or not, beside its schedule. Prints the job's id."""
    sources = _sources(tasks)

    async def act(cron_jobs: CronJobs) -> str:
        from corral.store.schedules import DatabaseSchedules

        found = await _find(cron_jobs, job_id)
        async with Client(url, prefix=prefix) as client:
            made = await DatabaseSchedules(cron_jobs.database, *sources, client=client).trigger(found)
        await _note(cron_jobs, "cronJob.trigger", job_id, job=made.id)
        return made.id

    typer.echo(_with_cron_jobs(database_url, tasks, act))


def _with_cron_jobs(
    database_url: str | None, tasks: list[str] | None, act: Callable[[CronJobs], Awaitable[T]]
) -> T:
    sources = _sources(tasks)

    async def opened(database: Database) -> T:
        from corral.store.cron_jobs import CronJobs

        return await act(CronJobs(database, *sources))

    return with_database(database_url, opened)


def _sources(tasks: list[str] | None) -> list[Any]:
    return [source for target in tasks or () for source in load_sources(target)]


async def _find(cron_jobs: CronJobs, job_id: str) -> StoredCronJob:
    """By its job id. Raises `CronJobGone`."""
    found = await cron_jobs.find(job_id)
    if found is None:
        raise CronJobGone(job_id)
    return found


async def _note(cron_jobs: CronJobs, action: str, target: str, **detail: Any) -> None:
    """Leave a line in the operator log, as the API does."""
    from corral.store.operator_log import OperatorLog

    await OperatorLog(cron_jobs.database).write(f"{getpass.getuser()} (corral)", action, target, detail)
