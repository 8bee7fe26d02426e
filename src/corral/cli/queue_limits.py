"""`corral queue limit`, `hold`: how fast its jobs start, and how many run at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from corral.admin.queue import QueueAdmin
from corral.cli.operate import on_queue
from corral.cli.options import Prefix, QueueName, Url, duration, rate
from corral.cli.output import remark, shown

__all__ = ["hold", "limit"]

NONE = "none"


def limit(
    name: QueueName,
    concurrency: Annotated[
        str | None,
        typer.Option(
            metavar="N", help="Jobs that run at once, over all workers; none: any number.", show_default=False
        ),
    ] = None,
    rate_limit: Annotated[
        str | None,
        typer.Option(
            "--rate", metavar="N/TIME", help="Starts in a time: 10/1s; none: any rate.", show_default=False
        ),
    ] = None,
    max_events: Annotated[
        int | None, typer.Option(min=0, help="About so many events are kept.", show_default=False)
    ] = None,
    url: Url = None,
    prefix: Prefix = None,
) -> None:
    """Set the limits of a queue, which hold at once and for workers of every kind; without options, show them."""
    most = None if concurrency in (None, NONE) else _count(concurrency)
    window = None if rate_limit in (None, NONE) else rate(rate_limit)

    async def act(queue: QueueAdmin) -> None:
        if concurrency is not None:
            await queue.set_concurrency(most)
        if rate_limit is not None:
            await queue.set_rate_limit(window)
        if max_events is not None:
            await queue.set_max_events(max_events)
        settings = await queue.settings()
        remark(f"queue {name}: concurrency {shown(settings.concurrency)}, rate {shown(settings.rate_limit)}")

    on_queue(url, prefix, name, act)


def hold(
    name: QueueName,
    time: Annotated[
        timedelta,
        typer.Argument(parser=duration, metavar="TIME", help="90s, 5m; 0 ends it.", show_default=False),
    ],
    url: Url = None,
    prefix: Prefix = None,
) -> None:
    """Let no job start for so long, as when a handler was told to hold off; 0 lets them start again."""
    on_queue(url, prefix, name, lambda queue: queue.hold(time))
    remark(f"queue {name}: " + (f"no job starts for {time.total_seconds():g} s" if time else "jobs start"))


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise typer.BadParameter("give a whole number from 1, or none", param_hint="--concurrency")
    return int(text)
