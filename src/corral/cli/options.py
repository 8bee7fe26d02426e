"""Options that several commands take."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Final

import typer

__all__ = ["Concurrency", "Json", "Prefix", "Target", "Url", "duration", "memory_size"]

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
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
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
