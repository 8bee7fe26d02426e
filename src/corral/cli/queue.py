"""`corral queue …`: one queue, its state and its settings."""

from __future__ import annotations

import asyncio
from typing import Any

import typer
from rich.table import Table

from corral.admin.queue import QueueAdmin
from corral.cli.failure import CorralGroup
from corral.cli.operate import on_queue
from corral.cli.options import Json, Prefix, QueueName, Url
from corral.cli.output import console, print_json, remark, shown
from corral.cli.queue_clearing import clean, drain, obliterate, orphans
from corral.cli.queue_limits import hold, limit
from corral.contracts.states import JobState

__all__ = ["queue"]

queue = typer.Typer(
    name="queue",
    cls=CorralGroup,
    no_args_is_help=True,
    help="One queue: look at it, pause, clear and limit it.",
)


@queue.command()
def show(name: QueueName, url: Url = None, prefix: Prefix = None, as_json: Json = False) -> None:
    """Show its jobs by state, its settings, its workers, and how many jobs ended in the last hour."""
    found = on_queue(url, prefix, name, _look_at)
    if as_json:
        print_json(found)
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for state, count in found["counts"].items():
        table.add_row(str(state), f"{count:,}")
    for setting, value in found["settings"].items():
        table.add_row(setting.replace("_", " "), shown(value))
    for state, count in found["lastHour"].items():
        table.add_row(f"{state} in the last hour", f"{count:,}")
    table.add_row("workers", shown(", ".join(found["workers"])) or "none")
    console().print(table)


async def _look_at(queue: QueueAdmin) -> dict[str, Any]:
    counts, settings, workers, completed, failed = await asyncio.gather(
        queue.counts(), queue.settings(), queue.workers(),
        queue.metrics(JobState.COMPLETED), queue.metrics(JobState.FAILED),
    )  # fmt: skip
    return {
        "queue": queue.name,
        "counts": counts,
        "settings": {
            "paused": settings.paused,
            "concurrency": settings.concurrency,
            "rate_limit": settings.rate_limit,
            "max_events": settings.max_events,
            "version": settings.version,
            "peers": settings.peers,
        },
        "lastHour": {"completed": sum(completed.minutes), "failed": sum(failed.minutes)},
        "workers": [worker.name or worker.address for worker in workers],
    }


@queue.command()
def pause(name: QueueName, url: Url = None, prefix: Prefix = None) -> None:
    """Hand out no more jobs, to workers of every kind. Jobs that run go on; jobs may be added."""
    on_queue(url, prefix, name, lambda queue: queue.pause())
    remark(f"queue {name} is paused")


@queue.command()
def resume(name: QueueName, url: Url = None, prefix: Prefix = None) -> None:
    """Hand out jobs again."""
    on_queue(url, prefix, name, lambda queue: queue.resume())
    remark(f"queue {name} hands out jobs")


for verb in (drain, clean, obliterate, orphans, limit, hold):
    queue.command()(verb)
