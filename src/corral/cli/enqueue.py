"""`corral enqueue`: add one job by its name."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Annotated, Any

import typer

from corral.cli.loop import run
from corral.cli.options import Prefix, QueueName, Url, duration
from corral.cli.output import print_json, remark
from corral.client.client import Client
from corral.contracts.options import EnqueueOptions
from corral.contracts.strict_json import parse_strict_json

__all__ = ["enqueue", "parsed"]


Payload = Annotated[str, typer.Argument(metavar="JSON", help="The payload; - reads standard input.")]
Delay = Annotated[
    timedelta | None,
    typer.Option(
        parser=duration, metavar="TIME", help="Run it after: 90, 90s, 5m, 2h, 1d.", show_default=False
    ),
]
Wait = Annotated[
    timedelta | None,
    typer.Option(
        parser=duration, metavar="TIME", help="Wait so long for its result, and print it.", show_default=False
    ),
]
Priority = Annotated[
    int | None,
    typer.Option(help="A lower number runs sooner; jobs without one run first.", show_default=False),
]


def enqueue(
    queue: QueueName,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The task's name.", show_default=False)],
    payload: Payload = "{}",
    delay: Delay = None,
    priority: Priority = None,
    attempts: Annotated[int | None, typer.Option(help="Runs in all.", show_default=False)] = None,
    job_id: Annotated[str | None, typer.Option(help="The same id is one job.", show_default=False)] = None,
    wait: Wait = None,
    url: Url = None,
    prefix: Prefix = None,
) -> None:
    """Add a job to a queue, and print its id (with --wait: its result as JSON).

    Exit code 1 when the job fails, or has not ended after the time of --wait.
    """
    options: EnqueueOptions = {}
    if delay is not None:
        options["delay"] = delay
    if priority is not None:
        options["priority"] = priority
    if attempts is not None:
        options["attempts"] = attempts
    if job_id is not None:
        options["job_id"] = job_id
    data = parsed(sys.stdin.read() if payload == "-" else payload)
    raise typer.Exit(run(_enqueue(Client(url, prefix=prefix), queue, name, data, options, wait)))


async def _enqueue(
    client: Client, queue: str, name: str, data: Any, options: EnqueueOptions, wait: timedelta | None
) -> int:
    async with client:
        job = await client.queue(queue).enqueue(name, data, **options)
        if job.created is False:
            remark(f"job {job.id} was there already: nothing was added")
        if wait is None:
            typer.echo(job.id)
            return 0
        remark(f"job {job.id}: waiting for its end")
        try:
            print_json(await job.result(wait))
        except TimeoutError:
            state = await job.state()
            remark(
                f"job {job.id} has not ended after {wait.total_seconds():g} s: it is {state.value}", "yellow"
            )
            return 1
        return 0


def parsed(text: str) -> Any:
    """A payload as it was typed. Raises `BadParameter`, with a hint for the shell."""
    try:
        return parse_strict_json(text)
    except ValueError as error:
        hint = (
            "; quote it for the shell: '{\"id\": 1}'" if not text.lstrip().startswith(("{", "[", '"')) else ""
        )
        raise typer.BadParameter(f"the payload is not JSON: {error}{hint}", param_hint="JSON") from None
