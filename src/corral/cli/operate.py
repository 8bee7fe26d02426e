"""Running a verb of the admin: open it, ask first where something would be lost, show how far it is."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from corral.admin.admin import Admin
from corral.admin.queue import QueueAdmin
from corral.cli.failure import FAILED
from corral.cli.loop import run
from corral.cli.output import remark

__all__ = ["agreed", "on_queue", "operate", "progress"]

T = TypeVar("T")
Told = Callable[[int, int], None]


def operate(url: str | None, prefix: str | None, verb: Callable[[Admin], Awaitable[T]]) -> T:
    """Carry out a verb on the server that the options name."""

    async def act() -> T:
        async with Admin(url, prefix=prefix) as admin:
            return await verb(admin)

    return run(act())


def on_queue(url: str | None, prefix: str | None, name: str, verb: Callable[[QueueAdmin], Awaitable[T]]) -> T:
    """Carry out a verb on a queue. Exit code 1 when there is no such queue: a slip of the pen must not make one."""

    async def act(admin: Admin) -> T:
        queue = admin.queue(name)
        if not await admin.has_queue(name):
            settings = admin.server.settings
            remark(
                f"there is no queue {name!r} at {settings.address} under the prefix {settings.prefix!r}",
                "yellow",
            )
            raise typer.Exit(FAILED)
        return await verb(queue)

    return operate(url, prefix, act)


@contextmanager
def progress(what: str) -> Iterator[Told]:
    """A progress bar on standard error while a long verb is at work; nothing where nobody looks at it."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def agreed(question: str, yes: bool) -> None:
    """Ask before something is lost. Without a person to ask, only `--yes` agrees. Ends the command otherwise."""
    if yes:
        return
    if not sys.stdin.isatty():
        remark(f"{question} Nothing was done: say --yes.", "yellow")
        raise typer.Exit(FAILED)
    if not typer.confirm(question, err=True):
        remark("nothing was done")
        raise typer.Exit(FAILED)
