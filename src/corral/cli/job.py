"""`corral job …`: the jobs of a queue, one or many."""

from __future__ import annotations

import typer

from corral.cli.failure import CorralGroup
from corral.cli.job_cancel import cancel
from corral.cli.job_change import delay, edit, priority, replay
from corral.cli.job_move import promote, remove, retry
from corral.cli.job_read import explain, listed, logs, tree
from corral.cli.job_show import show

__all__ = ["job"]

job = typer.Typer(
    name="job",
    cls=CorralGroup,
    no_args_is_help=True,
    help="The jobs of a queue: look at them, run them again or sooner, change, cancel and remove them.",
)
job.command("list")(listed)
for verb in (show, explain, tree, logs, retry, promote, cancel, remove, priority, delay, edit, replay):
    job.command()(verb)
