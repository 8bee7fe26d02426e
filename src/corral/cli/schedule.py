"""`corral schedule …`: what makes jobs again and again."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import typer
from rich.table import Table

from corral.admin.queue import QueueAdmin
from corral.cli.enqueue import parsed
from corral.cli.failure import FAILED, CorralGroup
from corral.cli.operate import agreed, on_queue
from corral.cli.options import Json, Prefix, QueueName, Url, Yes, duration
from corral.cli.output import console, print_json, remark, shown
from corral.contracts.schedule import Cron, Every, Repeat
from corral.contracts.schedule_snapshot import Schedule

__all__ = ["schedule"]

schedule = typer.Typer(
    name="schedule",
    cls=CorralGroup,
    no_args_is_help=True,
    help="The schedules of a queue: look at them, make and remove them.",
)
ScheduleId = Annotated[str, typer.Argument(metavar="ID", help="The schedule's id.", show_default=False)]
Pattern = Annotated[
    str | None, typer.Option("--cron", metavar="PATTERN", help='"0 9 * * 1-5".', show_default=False)
]
Interval = Annotated[
    timedelta | None,
    typer.Option("--every", parser=duration, metavar="TIME", help="30s, 5m, 1h.", show_default=False),
]
Zone = Annotated[str, typer.Option("--tz", help="The time zone of the pattern.")]


@schedule.command("list")
def listed(
    name: QueueName,
    start: Annotated[int, typer.Option(min=0, help="How many to pass over.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=100, help="At most so many.")] = 20,
    url: Url = None,
    prefix: Prefix = None,
    as_json: Json = False,
) -> None:
    """List schedules, the next to run first."""
    found = on_queue(url, prefix, name, lambda queue: queue.schedules.list(start=start, limit=limit))
    if as_json:
        print_json([_row(one) for one in found])
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("id", "task", "rule", "next run", "jobs made"):
        table.add_column(column, overflow="fold")
    for one in found:
        next_run = shown(one.next_run) if one.next_run else "ended"
        table.add_row(shown(one.id), shown(one.name), _said(one.rule), next_run, f"{one.iterations:,}")
    console().print(table) if found else remark(f"no schedules in queue {name}")


@schedule.command()
def show(
    name: QueueName, schedule_id: ScheduleId, url: Url = None, prefix: Prefix = None, as_json: Json = False
) -> None:
    """Show a schedule, with its next runs."""
    found = on_queue(url, prefix, name, lambda queue: queue.schedules.get(schedule_id))
    if found is None:
        _missing(name, schedule_id)
    elif as_json:
        print_json({**_row(found), "upcoming": found.upcoming(10)})
    else:
        table = Table(box=None, show_header=False, pad_edge=False)
        for field, value in _row(found).items():
            table.add_row(field, shown(value))
        for run in found.upcoming(10):
            table.add_row("runs", shown(run))
        console().print(table)


@schedule.command()
def add(
    name: QueueName,
    schedule_id: ScheduleId,
    task: Annotated[str, typer.Argument(metavar="NAME", help="The task's name.", show_default=False)],
    payload: Annotated[str, typer.Argument(metavar="JSON", help="The payload of its jobs.")] = "{}",
    cron: Pattern = None,
    every: Interval = None,
    tz: Zone = "UTC",
    url: Url = None,
    prefix: Prefix = None,
) -> None:
    """Make a schedule, or change it."""
    rule, data = _rule(cron, every, tz), parsed(payload)
    made = on_queue(url, prefix, name, lambda queue: queue.schedules.upsert(schedule_id, rule, task, data))
    remark(f"schedule {schedule_id} runs next at {shown(made.next_run)}")


@schedule.command()
def remove(
    name: QueueName, schedule_id: ScheduleId, yes: Yes = False, url: Url = None, prefix: Prefix = None
) -> None:
    """Remove a schedule and its pending job. A job of it that runs goes on."""

    async def act(queue: QueueAdmin) -> bool:
        agreed(f"Remove schedule {schedule_id} of queue {name}?", yes)
        return await queue.schedules.remove(schedule_id)

    if not on_queue(url, prefix, name, act):
        _missing(name, schedule_id)


@schedule.command()
def preview(
    name: QueueName,
    schedule_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="The schedule's id.", show_default=False)
    ] = None,
    cron: Pattern = None,
    every: Interval = None,
    tz: Zone = "UTC",
    count: Annotated[int, typer.Option(min=1, max=1000, help="So many runs.")] = 10,
    url: Url = None,
    prefix: Prefix = None,
) -> None:
    """Print the next runs, in UTC: of a schedule, or of a rule if it were made now."""
    wanted = schedule_id if schedule_id is not None else _rule(cron, every, tz)
    for run in on_queue(url, prefix, name, lambda queue: queue.schedules.preview(wanted, count)):
        typer.echo(run.isoformat())


def _rule(cron: str | None, every: timedelta | None, tz: str) -> Repeat:
    if (cron is None) == (every is None):
        raise typer.BadParameter("give --cron or --every, one of them", param_hint="--cron")
    return Cron(cron, tz=tz) if cron is not None else Every(every)


def _row(one: Schedule) -> dict[str, Any]:
    return {
        "id": one.id, "task": one.name, "rule": _said(one.rule), "nextRun": one.next_run,
        "iterations": one.iterations, "runsLeft": one.runs_left, "data": one.data, "malformed": dict(one.malformed),
    }  # fmt: skip


def _said(rule: Repeat | None) -> str:
    if isinstance(rule, Cron):
        return shown(f"{rule.pattern} {rule.tz}")
    return "cannot be read" if rule is None else f"every {rule.interval}"


def _missing(name: str, schedule_id: str) -> None:
    remark(f"there is no schedule {schedule_id!r} in queue {name!r}", "yellow")
    raise typer.Exit(FAILED)
