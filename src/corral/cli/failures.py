"""`corral failures …`: what failed for good, by cause, and what is to be done about it."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from corral.admin.bulk import JobFilter
from corral.admin.failure_group import FailureGroups
from corral.admin.queue import QueueAdmin
from corral.cli.failure import CorralGroup
from corral.cli.job_move import finish
from corral.cli.job_read import print_jobs
from corral.cli.operate import agreed, on_queue, progress
from corral.cli.options import Json, Moment, Prefix, QueueName, Url, Yes
from corral.cli.output import console, print_json, remark, shown

__all__ = ["failures"]

failures = typer.Typer(
    name="failures",
    cls=CorralGroup,
    no_args_is_help=True,
    help="The failures of a queue by cause: look at them, run them again, remove them.",
)
Kind = Annotated[
    str | None,
    typer.Option(help="Only this kind: exhausted, permanent, invalid-payload, poison…", show_default=False),
]
Fingerprint = Annotated[
    str, typer.Option(metavar="TEXT", help="Only this group, as `list` shows it.", show_default=False)
]
TaskName = Annotated[str, typer.Option(metavar="NAME", help="Only jobs of this task.", show_default=False)]
Reason = Annotated[
    str, typer.Option(metavar="TEXT", help="Only with this text in the reason.", show_default=False)
]
Most = Annotated[int | None, typer.Option(min=1, help="At most so many.", show_default=False)]


@failures.command("list")
def listed(
    name: QueueName,
    kind: Kind = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most so many groups.")] = 50,
    url: Url = None,
    prefix: Prefix = None,
    as_json: Json = False,
) -> None:
    """List groups of failures that have one cause, the latest to fail first."""
    found = on_queue(url, prefix, name, lambda queue: queue.failures.groups(kind, limit))
    if as_json:
        print_json(found)
        return
    if not found.groups:
        remark(f"no failures in queue {name}" + (f" of the kind {kind}" if kind else ""))
        return
    console().print(_table(found))
    if not found.exact:
        remark(f"{found.covered:,} of {found.total:,} failed jobs are in groups: look again for more")


def _table(found: FailureGroups) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("fingerprint", "jobs", "kind", "last failed", "what"):
        table.add_column(column, justify="right" if column == "jobs" else "left", overflow="fold")
    for group in found.groups:
        what = f"{group.error_type}: {group.message}" if group.error_type else group.message
        place = f" ({group.place})" if group.place else ""
        table.add_row(
            group.fingerprint,
            f"{group.count:,}",
            group.kind.value,
            f"{group.last_seen:%Y-%m-%d %H:%M:%S}",
            shown(what + place),
        )
    return table


@failures.command()
def jobs(
    name: QueueName,
    fingerprint: Annotated[
        str, typer.Argument(metavar="FINGERPRINT", help="As `list` shows it.", show_default=False)
    ],
    start: Annotated[int, typer.Option(min=0, help="How many to pass over.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 20,
    url: Url = None,
    prefix: Prefix = None,
    as_json: Json = False,
) -> None:
    """List the jobs of a group, the latest to fail first."""
    found = on_queue(
        url, prefix, name, lambda queue: queue.failures.jobs(fingerprint, start=start, limit=limit)
    )
    print_jobs(found, as_json=as_json, nothing=f"no jobs in the group {shown(fingerprint)} of queue {name}")


@failures.command()
def retry(
    name: QueueName,
    kind: Kind = None,
    fingerprint: Fingerprint = "",
    task: TaskName = "",
    reason: Reason = "",
    after: Moment = None,
    before: Moment = None,
    limit: Most = None,
    reset_attempts: Annotated[
        bool, typer.Option("--reset-attempts", help="Give them all their attempts again.")
    ] = False,
    yes: Yes = False,
    url: Url = None,
    prefix: Prefix = None,
) -> None:
    """Run failed jobs again: all, or those that match. Says how many first; prints how many."""
    where = JobFilter(name=task, reason=reason, finished_after=after, finished_before=before)

    async def act(queue: QueueAdmin) -> int:
        await _ask(queue, fingerprint, kind, where, limit, yes, "Run {} failed jobs of queue {} again?")
        with progress("retrying") as told:
            return await queue.failures.retry(
                fingerprint,
                kind,
                where=where,
                limit=limit,
                reset_attempts=reset_attempts,
                on_progress=told,
            )

    finish(on_queue(url, prefix, name, act))


@failures.command()
def remove(
    name: QueueName,
    kind: Kind = None,
    fingerprint: Fingerprint = "",
    task: TaskName = "",
    reason: Reason = "",
    after: Moment = None,
    before: Moment = None,
    limit: Most = None,
    yes: Yes = False,
    url: Url = None,
    prefix: Prefix = None,
) -> None:
    """Remove failed jobs with all they have: all, or those that match. Says how many first; prints how many."""
    where = JobFilter(name=task, reason=reason, finished_after=after, finished_before=before)

    async def act(queue: QueueAdmin) -> int:
        await _ask(queue, fingerprint, kind, where, limit, yes, "Remove {} failed jobs of queue {}?")
        with progress("removing") as told:
            return await queue.failures.remove(fingerprint, kind, where=where, limit=limit, on_progress=told)

    finish(on_queue(url, prefix, name, act))


async def _ask(
    queue: QueueAdmin,
    fingerprint: str,
    kind: str | None,
    where: JobFilter,
    limit: int | None,
    yes: bool,
    question: str,
) -> None:
    if yes:
        return
    with progress("counting") as told:
        count = await queue.failures.count(fingerprint, kind, where=where, on_progress=told)
    agreed(question.format(f"{min(count, limit or count):,}", queue.name), yes)
