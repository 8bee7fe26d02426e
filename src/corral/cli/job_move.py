"""`corral job retry`, `promote`, `remove`: by id, or all that are meant, after a look at how many those are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from corral.admin.batch import Batch
from corral.admin.bulk import JobFilter
from corral.admin.queue import QueueAdmin
from corral.cli.failure import FAILED
from corral.cli.operate import agreed, on_queue, progress
from corral.cli.options import JobIds, Moment, Prefix, QueueName, Url, Yes
from corral.cli.output import remark
from corral.contracts.states import JobState
from corral.logs.render import printable

__all__ = ["finish", "promote", "remove", "retry"]

SomeIds = Annotated[
    list[str] | None, typer.Argument(metavar="[ID]...", help="The jobs' ids.", show_default=False)
]
All = Annotated[bool, typer.Option("--all", help="All of them, instead of ids.")]


def retry(
    name: QueueName,
    job_ids: SomeIds = None,
    every: All = False,
    state: Annotated[str, typer.Option(help="With --all: failed or completed.")] = "failed",
    task: Annotated[str, typer.Option(metavar="NAME", help="With --all: only jobs of this task.")] = "",
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="With --all: a text in the failure's reason.")
    ] = "",
    after: Moment = None,
    before: Moment = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="With --all: at most so many.", show_default=False)
    ] = None,
    reset_attempts: Annotated[
        bool, typer.Option("--reset-attempts", help="Give them all their attempts again.")
    ] = False,
    yes: Yes = False,
    url: Url = None,
    prefix: Prefix = None,
) -> None:
    """Run finished jobs again, failed ones by default. Prints how many.

    corral job retry email --all --reason timeout --after 2h
    """
    where = JobFilter(name=task, reason=reason, finished_after=after, finished_before=before)
    _chosen(job_ids, every, narrowed=bool(task or reason or after or before or limit))

    async def act(queue: QueueAdmin) -> Batch | int:
        if job_ids:
            return await queue.jobs.retry_many(job_ids, reset_attempts=reset_attempts)
        return await _retry_all(queue, JobState(state), where, limit, reset_attempts, yes)

    finish(on_queue(url, prefix, name, act))


async def _retry_all(
    queue: QueueAdmin, state: JobState, where: JobFilter, limit: int | None, reset_attempts: bool, yes: bool
) -> int:
    if not yes:
        with progress("counting") as told:
            count = await queue.jobs.count_matching(state, where=where, on_progress=told)
        agreed(f"Run {min(count, limit or count):,} {state} jobs of queue {queue.name} again?", yes)
    with progress("retrying") as told:
        return await queue.jobs.retry_all(
            state, where=where, limit=limit, reset_attempts=reset_attempts, on_progress=told
        )


def promote(
    name: QueueName,
    job_ids: SomeIds = None,
    every: All = False,
    yes: Yes = False,
    url: Url = None,
    prefix: Prefix = None,
) -> None:
    """Run delayed jobs now. Prints how many."""
    _chosen(job_ids, every)

    async def act(queue: QueueAdmin) -> Batch | int:
        if job_ids:
            return await queue.jobs.promote_many(job_ids)
        agreed(f"Run {(await queue.counts())[JobState.DELAYED]:,} delayed jobs of queue {name} now?", yes)
        with progress("promoting") as told:
            return await queue.jobs.promote_all(on_progress=told)

    finish(on_queue(url, prefix, name, act))


def remove(
    name: QueueName,
    job_ids: JobIds,
    alone: Annotated[bool, typer.Option("--alone", help="Leave the jobs below them in a flow.")] = False,
    yes: Yes = False,
    url: Url = None,
    prefix: Prefix = None,
) -> None:
    """Remove jobs with all they have, and all below them in a flow. Prints how many."""

    async def act(queue: QueueAdmin) -> Batch:
        agreed(f"Remove {len(job_ids):,} jobs of queue {name}?", yes)
        with progress("removing") as told:
            return await queue.jobs.remove_many(job_ids, children=not alone, on_progress=told)

    finish(on_queue(url, prefix, name, act))


def finish(result: Batch | int) -> None:
    """Print how many jobs it was done to, and for each other one why not. Exit code 1 when there are such."""
    if isinstance(result, int):
        typer.echo(result)
        return
    typer.echo(len(result.done))
    for error in result.refused.values():
        remark(printable(str(error)), "yellow")
    if result.refused:
        raise typer.Exit(FAILED)


def _chosen(job_ids: Sequence[str] | None, every: bool, *, narrowed: bool = False) -> None:
    if bool(job_ids) == every:
        raise typer.BadParameter("give ids, or --all", param_hint="ID")
    if job_ids and narrowed:
        raise typer.BadParameter(
            "--task, --reason, --after, --before and --limit go with --all", param_hint="ID"
        )
