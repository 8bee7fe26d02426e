"""`corral job show`: everything that is kept of one job."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, Final

import typer
from rich.table import Table
from rich.text import Text

from corral.cli.loop import run
from corral.cli.options import Json, Prefix, QueueName, Url
from corral.cli.output import console, print_json, remark, shown
from corral.client.client import Client
from corral.contracts.job import Job
from corral.contracts.states import JobState
from corral.logs.render import printable

__all__ = ["STYLES", "show"]

STYLES: Final = {JobState.COMPLETED: "green", JobState.FAILED: "red", JobState.ACTIVE: "yellow"}
LOG_LINES: Final = 1000
APART: Final = ("stacktrace", "malformed", "opts", "state")


def show(
    queue: QueueName,
    job_id: Annotated[str, typer.Argument(metavar="ID", help="The job's id.", show_default=False)],
    url: Url = None,
    prefix: Prefix = None,
    as_json: Json = False,
) -> None:
    """Show one job: state, data, result, reasons, stack traces and log lines. Exit code 1 when it is not kept."""
    found, lines = run(_read(Client(url, prefix=prefix), queue, job_id))
    if found is None:
        remark(
            f"there is no job {job_id!r} in queue {queue!r}: never added, removed, or trimmed since", "yellow"
        )
        raise typer.Exit(1)
    if as_json:
        print_json({**_fields(found), "opts": found.opts.raw, "logs": lines})
    else:
        _print(found, lines)


async def _read(client: Client, queue: str, job_id: str) -> tuple[Job | None, list[str]]:
    async with client:
        found = await client.queue(queue).get(job_id)
        lines = await client.queue(queue).logs(job_id, limit=LOG_LINES) if found else []
        return found, lines


def _fields(found: Job) -> dict[str, Any]:
    return {field.name: getattr(found, field.name) for field in dataclasses.fields(found)}


def _print(found: Job, lines: list[str]) -> None:
    out = console()
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    state = found.state or JobState.UNKNOWN
    table.add_row("state", Text(state.value, style=STYLES.get(state, "bold")))
    for name, value in _fields(found).items():
        if name not in APART and value is not None:
            table.add_row(name, shown(value))
    table.add_row("opts", shown(found.opts.raw))
    for name, reason in found.malformed.items():
        table.add_row(Text("malformed", style="red"), f"{name}: {printable(reason)}")
    out.print(table)
    for number, stack in enumerate(found.stacktrace, 1):
        out.print(Text(f"\nattempt {number} failed", style="red"))
        _print_lines(stack.splitlines())
    if lines:
        out.print(Text("\nlog", style="bold"))
        _print_lines(lines)


def _print_lines(lines: list[str]) -> None:
    for line in lines:
        console().print(Text(f"  {printable(line)}"), soft_wrap=True)
