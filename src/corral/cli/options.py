"""Options that several commands take."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import typer

from corral.cli.completion import queue_names
from corral.contracts.rate_limit import RateLimit

__all__ = [
    "Concurrency",
    "DatabaseUrl",
    "JobIds",
    "Json",
    "Moment",
    "Prefix",
    "QueueName",
    "Target",
    "Url",
    "Yes",
    "duration",
    "memory_size",
    "moment",
    "rate",
    "web_path",
]

Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        help="The server: redis://, rediss://, redis+cluster://, redis+sentinel://host/master, unix:// "
        "or embedded:///path. "
        "Default: REDIS_URL, else REDIS_HOST and its companions, else redis://localhost:6379.",
        show_default=False,
        metavar="URL",
    ),
]
Prefix = Annotated[
    str | None,
    typer.Option(
        "--prefix", help="First part of every key. Default: CORRAL_PREFIX, else bull.", show_default=False
    ),
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database-url",
        help="sqlite:///file or postgresql://user:password@host/name. "
        "Default: CORRAL_DATABASE_URL, else the file corral.db.",
        show_default=False,
        metavar="URL",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]
QueueName = Annotated[
    str, typer.Argument(metavar="QUEUE", help="The queue.", show_default=False, autocompletion=queue_names)
]
JobIds = Annotated[list[str], typer.Argument(metavar="ID...", help="The jobs' ids.", show_default=False)]
Concurrency = Annotated[
    int | None, typer.Option(min=1, help="Jobs at the same time, per queue and process.", show_default=False)
]
Target = Annotated[
    str,
    typer.Argument(
        metavar="MODULE:OBJECT",
        help="What to run: a Worker, a Queue, an instance of a TaskSet, a list of these, "
        "or a function that returns one. The module is looked for in the current directory first.",
        show_default=False,
    ),
]

_UNITS: Final = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}


def memory_size(text: str) -> int:
    """`300M`, `1.5G` or a number of bytes, as bytes."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmg]?)(?:i?b)?", text.strip().lower())
    if not found:
        raise typer.BadParameter("give bytes, or a number with K, M or G: 300M")
    return int(float(found[1]) * _UNITS[found[2]])


_SECONDS: Final = {"ms": 0.001, "": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def duration(text: str) -> timedelta:
    """`90`, `90s`, `5m`, `2h` or `1d`."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|[smhd]?)", text.strip().lower())
    if not found:
        raise typer.BadParameter("give seconds, or a number with s, m, h or d: 90, 5m, 2h")
    return timedelta(seconds=float(found[1]) * _SECONDS[found[2]])


def moment(text: str) -> datetime:
    """A time in ISO 8601, in UTC where it names no zone; or a duration ago: `2h`."""
    try:
        return datetime.now(UTC) - duration(text)
    except typer.BadParameter:
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("give a time as 2026-01-31T09:00Z, or how long ago: 30m, 2h, 1d") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


Moment = Annotated[
    datetime | None,
    typer.Option(parser=moment, metavar="TIME", help="2026-01-31T09:00Z, or 2h for so long ago."),
]


def web_path(text: str) -> str:
    """`/ops/queues`, with a slash in front and none behind; empty for nothing or a slash alone."""
    path = "".join(f"/{part}" for part in text.split("/") if part)
    if not re.fullmatch(r"(/(?!\.\.?(/|\Z))[\w.~-]+)*", path, re.ASCII):
        raise typer.BadParameter("give a path of letters, digits and -._~: /ops/queues")
    return path


def rate(text: str) -> RateLimit:
    """`10/1s`: so many in so long."""
    count, slash, per = text.partition("/")
    if not slash or not count.isdecimal():
        raise typer.BadParameter("give how many in how long: 10/1s, 600/1m")
    return RateLimit(int(count), per=duration(per))
