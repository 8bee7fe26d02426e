"""`corral job priority`, `delay`, `edit`, `replay`: changing a job."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from typing import Annotated, Any

import typer

from corral.admin.queue import QueueAdmin
from corral.cli.enqueue import parsed
from corral.cli.operate import on_queue
from corral.cli.options import Prefix, QueueName, Url, duration
from corral.cli.output import remark
from corral.cli.target import load_sources
from corral.errors import JobGone, UnknownTask
from corral.store.known_tasks import KnownTasks

__all__ = ["delay", "edit", "priority", "replay"]

JobId = Annotated[str, typer.Argument(metavar="ID", help="The job's id.", show_default=False)]
Payload = Annotated[
    str, typer.Argument(metavar="JSON", help="The payload; - reads standard input.", show_default=False)
]


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
    payload: Payload,
    url: Url = None,
    prefix: Prefix = None,
) -> None:
    """Replace a job's payload: its next run gets it."""
    data = _read(payload)
    on_queue(url, prefix, name, lambda queue: queue.jobs.set_data(job_id, data))
    remark(f"job {job_id} has a new payload")


def replay(
    name: QueueName,
    job_id: JobId,
    payload: Payload,
    tasks: Annotated[
        str | None,
        typer.Option(
            metavar="MODULE:TASKS", help="Validate the payload with the job's task.", show_default=False
        ),
    ] = None,
    url: Url = None,
    prefix: Prefix = None,
) -> None:
    """Run a job that has ended again, with another payload and all of its attempts. Nothing changes when the payload is
    not valid."""
    data = _read(payload)
    known = None if tasks is None else KnownTasks(*load_sources(tasks))

    async def act(queue: QueueAdmin) -> None:
        if known is None:
            await queue.jobs.replay(job_id, data)
            return
        job = await queue.jobs.get(job_id)
        if job is None:
            raise JobGone(job_id)
        spec = known.get(name, job.name)
        if spec is None:
            raise UnknownTask(name, job.name)
        await queue.jobs.replay(job_id, spec.payload.decode(json.dumps(data).encode()), task=spec)

    on_queue(url, prefix, name, act)
    remark(f"job {job_id} runs again")


def _read(payload: str) -> Any:
    return parsed(sys.stdin.read() if payload == "-" else payload)
