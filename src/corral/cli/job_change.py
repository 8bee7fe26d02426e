"""`corral job priority`, `delay`, `edit`: changing a job that has not ended."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Annotated

import typer

from corral.cli.enqueue import parsed
from corral.cli.operate import on_queue
from corral.cli.options import Prefix, QueueName, Url, duration
from corral.cli.output import remark

__all__ = ["delay", "edit", "priority"]

JobId = Annotated[str, typer.Argument(metavar="ID", help="The job's id.", show_default=False)]


def priority(
    name: QueueName,
    job_id: JobId,
    number: Annotated[
        int,
        typer.Argument(
            metavar="N", help="A lower number runs sooner; 0 is none, and runs first.", show_default=False
        ),
    ],
    lifo: Annotated[bool, typer.Option("--lifo", help="Before the others of its priority.")] = False,
    url: Url = None,
    prefix: Prefix = None,
) -> None:
    """Change a job's priority, and its place in line."""
    on_queue(url, prefix, name, lambda queue: queue.jobs.set_priority(job_id, number, lifo=lifo))
    remark(f"job {job_id} has priority {number}")


def delay(
    name: QueueName,
    job_id: JobId,
    time: Annotated[
        timedelta,
        typer.Argument(parser=duration, metavar="TIME", help="From now: 90s, 5m, 2h.", show_default=False),
    ],
    url: Url = None,
    prefix: Prefix = None,
) -> None:
    """Change when a delayed job is due."""
    on_queue(url, prefix, name, lambda queue: queue.jobs.set_delay(job_id, time))
    remark(f"job {job_id} is due in {time.total_seconds():g} s")


def edit(
    name: QueueName,
    job_id: JobId,
    payload: Annotated[
        str, typer.Argument(metavar="JSON", help="The payload; - reads standard input.", show_default=False)
    ],
    url: Url = None,
    prefix: Prefix = None,
) -> None:
    """Replace a job's payload: its next run gets it."""
    data = parsed(sys.stdin.read() if payload == "-" else payload)
    on_queue(url, prefix, name, lambda queue: queue.jobs.set_data(job_id, data))
    remark(f"job {job_id} has a new payload")
