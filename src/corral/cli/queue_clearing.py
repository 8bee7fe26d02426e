"""`corral queue drain`, `clean`, `obliterate`, `orphans`: taking jobs out."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from corral.admin.queue import QueueAdmin
from corral.cli.operate import agreed, on_queue, progress
from corral.cli.options import Prefix, QueueName, Url, Yes, duration
from corral.cli.output import remark
from corral.contracts.states import FINISHED, JobState

__all__ = ["clean", "drain", "obliterate", "orphans"]

WAITING = (JobState.WAITING, JobState.PRIORITIZED)


def drain(
    name: QueueName,
    delayed: Annotated[bool, typer.Option("--delayed", help="Delayed jobs, too.")] = False,
    yes: Yes = False,
    url: Url = None,
    prefix: Prefix = None,
) -> None:
    """Remove the jobs that wait to run. Running jobs, finished ones and schedules stay. Prints how many."""

    async def act(queue: QueueAdmin) -> int:
        counts = await queue.counts()
        count = sum(counts[state] for state in (*WAITING, *((JobState.DELAYED,) if delayed else ())))
        agreed(f"Remove {count:,} jobs of queue {name}?", yes)
        with progress("removing") as told:
            return await queue.drain(delayed=delayed, on_progress=told)

    typer.echo(on_queue(url, prefix, name, act))


def clean(
    name: QueueName,
    state: Annotated[
        str, typer.Option(help="completed, failed, waiting, prioritized, delayed, or active without a lock.")
    ],
    older_than: Annotated[
        timedelta,
        typer.Option(
            parser=duration, metavar="TIME", help="Older than: 90s, 2h, 7d; 0 for all.", show_default=False
        ),
    ],
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many.", show_default=False)] = None,
    yes: Yes = False,
    url: Url = None,
    prefix: Prefix = None,
) -> None:
    """Remove old jobs of one state. Prints how many."""

    async def act(queue: QueueAdmin) -> int:
        if state not in FINISHED:
            agreed(f"Remove {state} jobs of queue {name}, which have not ended?", yes)
        with progress("looking") as told:
            return await queue.clean(state, older_than=older_than, limit=limit, on_progress=told)

    typer.echo(on_queue(url, prefix, name, act))


def obliterate(
    name: QueueName,
    force: Annotated[bool, typer.Option("--force", help="Also when workers hold jobs of it.")] = False,
    yes: Yes = False,
    url: Url = None,
    prefix: Prefix = None,
) -> None:
    """Remove the queue with everything that belongs to it: jobs, schedules, events, limits."""

    async def act(queue: QueueAdmin) -> None:
        count = sum((await queue.counts()).values())
        agreed(f"Remove queue {name} with {count:,} jobs and everything that belongs to it?", yes)
        with progress("removing") as told:
            await queue.obliterate(force=force, on_progress=told)

    on_queue(url, prefix, name, act)
    remark(f"queue {name} is gone")


def orphans(
    name: QueueName,
    remove: Annotated[bool, typer.Option("--remove", help="Remove them.")] = False,
    yes: Yes = False,
    url: Url = None,
    prefix: Prefix = None,
) -> None:
    """Find jobs that are in no state, and print their ids; or remove them, and print how many."""

    async def act(queue: QueueAdmin) -> None:
        with progress("looking") as told:
            found = await queue.orphans(on_progress=told)
        if not remove:
            for job_id in found:
                typer.echo(job_id)
            return
        agreed(f"Remove {len(found):,} jobs that are in no state?", yes)
        with progress("removing") as told:
            typer.echo(await queue.remove_orphans(on_progress=told))

    on_queue(url, prefix, name, act)
