"""`corral queues`: what there is, and how many jobs of each state it holds."""

from __future__ import annotations

import dataclasses

from rich.table import Table

from corral.cli.loop import run
from corral.cli.options import Json, Prefix, Url
from corral.cli.output import console, print_json, remark, shown
from corral.client.client import Client
from corral.contracts.states import JobState

__all__ = ["queues"]


@dataclasses.dataclass(frozen=True)
class QueueRow:
    """One queue."""

    queue: str
    counts: dict[JobState, int]
    paused: bool


def queues(url: Url = None, prefix: Prefix = None, as_json: Json = False) -> None:
    """List the queues, with the number of jobs in each state."""
    client = Client(url, prefix=prefix)
    rows = run(_read(client))
    if as_json:
        print_json([{"queue": row.queue, "counts": row.counts, "paused": row.paused} for row in rows])
    elif rows:
        console().print(_table(rows))
    else:
        settings = client.server.settings
        remark(f"no queues at {settings.address} under the prefix {settings.prefix!r}")


async def _read(client: Client) -> list[QueueRow]:
    async with client:
        found = []
        for name in await client.queues():
            queue = client.queue(name)
            found.append(QueueRow(name, await queue.counts(), await queue.paused()))
        return found


def _table(rows: list[QueueRow]) -> Table:
    states = list(rows[0].counts)
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("queue", no_wrap=True)
    for state in states:
        table.add_column(state.value, justify="right")
    table.add_column("")
    for row in rows:
        numbers = [_number(state, row.counts[state]) for state in states]
        table.add_row(shown(row.queue), *numbers, "paused" if row.paused else "")
    return table


def _number(state: JobState, count: int) -> str:
    return f"{count:,}" if count else "·"
