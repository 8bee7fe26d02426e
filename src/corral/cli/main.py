"""The program `corral`: its commands, each in the file of its name."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from corral.cli.cron_job import cron_job
from corral.cli.dev import dev
from corral.cli.doctor import doctor
from corral.cli.enqueue import enqueue
from corral.cli.events import events
from corral.cli.failure import CorralGroup
from corral.cli.failures import failures
from corral.cli.health import health
from corral.cli.job import job
from corral.cli.log import log
from corral.cli.queue import queue
from corral.cli.queues import queues
from corral.cli.relay import relay
from corral.cli.schedule import schedule
from corral.cli.serve import serve
from corral.cli.token import token
from corral.cli.top import top
from corral.cli.worker import worker
from corral.cli.workers import workers

__all__ = ["app"]

app = typer.Typer(
    name="corral",
    cls=CorralGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Type-safe background jobs on Redis or Valkey, in BullMQ's data layout.",
)
for command in (worker, dev, serve, relay, enqueue, queues, top, events, health, doctor, log):
    app.command()(command)
for group in (queue, job, failures, schedule, cron_job, workers, token):
    app.add_typer(group)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"corral {version('corral')}")
        raise typer.Exit


@app.callback()
def corral(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Type-safe background jobs on Redis or Valkey, in BullMQ's data layout."""
