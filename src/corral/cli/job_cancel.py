"""`corral job cancel`: what nobody wants any more."""

from __future__ import annotations

from typing import Annotated

import typer

from corral.admin.batch import Batch
from corral.admin.queue import QueueAdmin
from corral.cli.job_move import finish
from corral.cli.operate import agreed, on_queue, progress
from corral.cli.options import JobIds, Prefix, QueueName, Url, Yes

__all__ = ["cancel"]


def cancel(
    name: QueueName,
    job_ids: JobIds,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why: stored with the jobs.")] = "",
    below: Annotated[
        bool, typer.Option("--children", help="Also all below them in a flow that have not ended.")
    ] = False,
    yes: Yes = False,
    url: Url = None,
    prefix: Prefix = None,
) -> None:
    """Cancel jobs: they fail for good, and one that runs is told to stop. Prints how many."""

    async def act(queue: QueueAdmin) -> Batch:
        agreed(f"Cancel {len(job_ids):,} jobs of queue {name}?", yes)
        with progress("cancelling") as told:
            return await queue.jobs.cancel_many(job_ids, reason, children=below, on_progress=told)

    finish(on_queue(url, prefix, name, act))
