"""`corral health`: do the workers do their work? By what they write of themselves."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

import typer

from corral.admin.admin import Admin
from corral.cli.failure import FAILED
from corral.cli.operate import operate
from corral.cli.options import Prefix, Url, duration
from corral.cli.output import shown
from corral.contracts.worker_record import WorkerRecord, WorkerState

__all__ = ["ailments", "health"]


def health(
    worker: Annotated[str | None, typer.Option(help="Only workers of this name.", show_default=False)] = None,
    queue: Annotated[str | None, typer.Option(help="Only workers of this queue.", show_default=False)] = None,
    here: Annotated[bool, typer.Option("--here", help="Only workers of this machine or container.")] = False,
    max_age: Annotated[
        timedelta,
        typer.Option(
            parser=duration, metavar="TIME", help="How old an answered claim may be, with slots free."
        ),
    ] = "60",  # type: ignore[assignment] # the parser reads it
    url: Url = None,
    prefix: Prefix = None,
) -> None:
    """Tell whether Corral's workers do their work, and why one does not: for a container's health check.

    Exit code 0 when there is one and all are healthy, else 1. Workers of Node do not say how they are.
    """

    async def find(admin: Admin) -> list[WorkerRecord]:
        return await admin.workers(queue)

    wanted = [
        found
        for found in operate(url, prefix, find)
        if found.ours and worker in (None, found.name) and (not here or found.host == socket.gethostname())
    ]
    # Whoever died is of interest only where nobody has taken its place.
    beating = [found for found in wanted if found.state is not WorkerState.SILENT] or wanted
    ill = [f"{found.name}: {why}" for found in beating for why in ailments(found, max_age)]
    if not beating:
        ill = ["no worker beats"]
    for line in ill or [
        f"{found.name}: {found.state}, {found.jobs_in_hand} jobs in hand" for found in beating
    ]:
        typer.echo(shown(line))
    if ill:
        raise typer.Exit(FAILED)


def ailments(worker: WorkerRecord, max_age: timedelta) -> Sequence[str]:
    """What is wrong with a worker, by its record."""
    if worker.state is WorkerState.SILENT:
        return [f"silent since {worker.beat:%Y-%m-%d %H:%M:%S} UTC"]
    found = list(worker.troubles)
    if not found and worker.starved > max_age:
        found.append(f"no claim was answered for {worker.starved.total_seconds():.0f} s, and slots are free")
    return found
