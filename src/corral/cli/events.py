"""`corral events`: what happens in a queue, as it happens."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from corral.cli.loop import run
from corral.cli.options import Json, Prefix, QueueName, Url
from corral.cli.output import console, print_json, shown
from corral.client.client import Client
from corral.contracts.event import Event
from corral.logs.render import printable

__all__ = ["events"]

STYLES = {"completed": "green", "failed": "red", "stalled": "red", "active": "yellow"}


def events(
    name: QueueName,
    after: Annotated[
        str | None,
        typer.Option(help="Begin behind this event's id; 0-0: with the oldest.", show_default=False),
    ] = None,
    count: Annotated[int | None, typer.Option(min=1, help="End after so many.", show_default=False)] = None,
    url: Url = None,
    prefix: Prefix = None,
    as_json: Json = False,
) -> None:
    """Follow the events of a queue until interrupted; with --json, one object a line."""
    try:
        run(_follow(Client(url, prefix=prefix), name, after, count, as_json))
    except KeyboardInterrupt:
        raise typer.Exit from None


async def _follow(client: Client, name: str, after: str | None, count: int | None, as_json: bool) -> None:
    async with client, client.queue(name).events(after=after) as stream:
        seen = 0
        async for event in stream:
            _print(event, as_json)
            seen += 1
            if seen == count:
                return


def _print(event: Event, as_json: bool) -> None:
    if as_json:
        print_json({"id": event.id, "event": event.name, "jobId": event.job_id, "fields": dict(event.fields)})
        return
    line = Text(f"{event.id}  ", style="dim").append(
        f"{printable(event.name):18}", style=STYLES.get(event.name, "bold")
    )
    line.append(printable(event.job_id or ""), style="not dim")
    line.append(
        "  " + "  ".join(f"{printable(key)}={shown(value)[:200]}" for key, value in event.fields.items())
    )
    console().print(line, soft_wrap=True)
