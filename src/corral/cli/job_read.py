"""`corral job list`, `explain`, `tree`, `logs`: looking at jobs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from corral.cli.failure import FAILED
from corral.cli.job_show import STYLES
from corral.cli.loop import run
from corral.cli.operate import on_queue
from corral.cli.options import Json, Prefix, QueueName, Url
from corral.cli.output import console, print_json, remark, shown
from corral.client.client import Client
from corral.client.queue import QueueClient
from corral.contracts.family import FlowTree
from corral.contracts.job import Job
from corral.contracts.states import JobState
from corral.logs.render import printable

__all__ = ["explain", "listed", "logs", "print_jobs", "tree"]

T = TypeVar("T")

JobId = Annotated[str, typer.Argument(metavar="ID", help="The job's id.", show_default=False)]
Start = Annotated[int, typer.Option(min=0, help="How many to pass over.")]


def listed(
    name: QueueName,
    state: Annotated[
        str, typer.Option(help="waiting, active, delayed, prioritized, waiting-children, completed, failed.")
    ] = "waiting",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 20,
    start: Start = 0,
    url: Url = None,
    prefix: Prefix = None,
    as_json: Json = False,
) -> None:
    """List jobs of one state: finished ones newest first, others in the order in which they run."""
    jobs = on_queue(url, prefix, name, lambda queue: queue.jobs.list(state, start=start, limit=limit))
    nothing = f"no {state} jobs in queue {name}" + (f" behind the first {start:,}" if start else "")
    print_jobs(jobs, as_json=as_json, nothing=nothing)


def print_jobs(jobs: list[Job], *, as_json: bool, nothing: str) -> None:
    """Jobs, a line each, as a table or as JSON; `nothing` is said when there are none."""
    if as_json:
        print_json([_row(job) for job in jobs])
    elif jobs:
        console().print(_table(jobs))
    else:
        remark(nothing)


def _row(job: Job) -> dict[str, object]:
    return {
        "id": job.id, "name": job.name, "state": job.state, "timestamp": job.timestamp,
        "finishedOn": job.finished_on, "attemptsMade": job.attempts_made, "failedReason": job.failed_reason,
        "data": job.data,
    }  # fmt: skip


def _table(jobs: list[Job]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("id", "name", "added", "attempts", "reason, or payload"):
        table.add_column(column, no_wrap=column != "reason, or payload", overflow="ellipsis")
    for job in jobs:
        last = job.failed_reason or shown(job.data)
        table.add_row(
            printable(job.id),
            printable(job.name),
            shown(job.timestamp),
            str(job.attempts_made),
            printable(last)[:200],
        )
    return table


def explain(name: QueueName, job_id: JobId, url: Url = None, prefix: Prefix = None) -> None:
    """Say why a job does not run yet: its children, its time, its queue, or the jobs before it."""
    why = _ask(url, prefix, name, lambda queue: queue.job(job_id).why_waiting())
    typer.echo(printable(str(why)))
    if why.state is JobState.UNKNOWN:
        raise typer.Exit(FAILED)


def tree(
    name: QueueName,
    job_id: JobId,
    depth: Annotated[int, typer.Option(min=1, max=100, help="Levels down.")] = 10,
    width: Annotated[int, typer.Option(min=1, max=100, help="Children of each.")] = 20,
    url: Url = None,
    prefix: Prefix = None,
    as_json: Json = False,
) -> None:
    """Draw a job of a flow with those below it."""
    found = _ask(url, prefix, name, lambda queue: queue.flow(job_id, depth=depth, width=width))
    if found is None:
        remark(f"there is no job {job_id!r} in queue {name!r}", "yellow")
        raise typer.Exit(FAILED)
    if as_json:
        print_json(_branch(found))
    else:
        console().print(_drawn(found))


def _branch(flow: FlowTree) -> dict[str, object]:
    return {
        **_row(flow.job),
        "queue": flow.job.queue,
        "children": [_branch(each) for each in flow.children],
        "more": flow.more,
    }


def _drawn(flow: FlowTree) -> Tree:
    state = flow.job.state or JobState.UNKNOWN
    label = Text(f"{printable(flow.job.name)} ").append(printable(flow.job.id), style="dim")
    label.append(f"  {state}", style=STYLES.get(state, "bold"))
    branch = Tree(label)
    for each in flow.children:
        branch.children.append(_drawn(each))
    if flow.more:
        branch.add(Text(f"and {flow.more:,} more", style="dim"))
    return branch


def logs(
    name: QueueName,
    job_id: JobId,
    start: Start = 0,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many lines.")] = 1000,
    clear: Annotated[bool, typer.Option("--clear", help="Delete them instead.")] = False,
    url: Url = None,
    prefix: Prefix = None,
) -> None:
    """Print a job's own log lines, the oldest first."""
    if clear:
        on_queue(url, prefix, name, lambda queue: queue.jobs.clear_logs(job_id))
        return
    for line in on_queue(url, prefix, name, lambda queue: queue.jobs.logs(job_id, start=start, limit=limit)):
        typer.echo(printable(line))


def _ask(
    url: str | None, prefix: str | None, name: str, question: Callable[[QueueClient], Awaitable[T]]
) -> T:
    async def act() -> T:
        async with Client(url, prefix=prefix) as client:
            return await question(client.queue(name))

    return run(act())
