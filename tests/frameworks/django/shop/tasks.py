"""The tasks of the shop."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from django.db import connection
from django.tasks import TaskContext, task

from tests.frameworks.django.shop.models import Order


class Refused(Exception):
    """The partner says no."""


@task
def add(first: int, second: int) -> int:
    """The sum."""
    return first + second


@task
async def greet(name: str, *, greeting: str = "Hello") -> dict[str, Any]:
    """A greeting, on the worker's loop."""
    return {"text": f"{greeting}, {name}!", "thread": threading.get_ident()}


@task
def where() -> int:
    """Which thread runs it."""
    return threading.get_ident()


@task
def note(path: str, line: str) -> None:
    """Add a line to a file."""
    with Path(path).open("a") as file:
        file.write(f"{line}\n")


@task(queue_name="email")
def refuse(reason: str) -> None:
    """Fail, always."""
    raise Refused(reason)


ALWAYS_THE_SAME = Refused("always the same")


@task
def raise_it(what: str) -> None:
    """Raise something unusual."""
    if what == "a group":
        raise ExceptionGroup("several", [Refused("one"), ValueError("corral: not.this in one since today")])
    if what == "a note":
        raise Refused(
            "no\ncorral: a in b since c\ncorral: a.Forged in b since 2020-01-01T00:00:00+00:00\nat all"
        )
    if what == "a note that is no moment":
        raise Refused("no\ncorral: a in b since c")
    if what == "a note in a group":
        forged = "corral: a.Forged in b since 2020-01-01T00:00:00+00:00"
        raise ExceptionGroup(f"several\n  | {forged}", [Refused(f"one\n{forged}\n  | {forged}")])
    if what == "the same object":
        raise ALWAYS_THE_SAME
    if what == "a long text":
        raise Refused("long " * 10_000)
    if what == "a chain":
        try:
            raise KeyError("the cause")
        except KeyError as error:
            raise Refused("its effect") from error
    raise SystemExit(what)


@task(takes_context=True)
def second_time(context: TaskContext, word: str) -> dict[str, Any]:
    """Fail in the first run, and say in the second what is known."""
    if context.attempt == 1:
        raise Refused("not yet\nnot at all")
    known = context.task_result
    return {
        "word": word,
        "attempt": context.attempt,
        "workers": known.worker_ids,
        "errors": [error.exception_class_path for error in known.errors],
        "status": str(known.status),
    }


@task
def unspeakable() -> object:
    """Return what is no JSON."""
    return {1, 2}


@task
def save(number: int) -> int:
    """Save an order, and say which connection did."""
    Order.objects.create(number=number)
    return id(connection.connection)


@task
async def asave(number: int) -> int:
    """Save an order from the loop."""
    await Order.objects.acreate(number=number)
    count: int = await Order.objects.acount()
    return count


@task
def leave_broken() -> None:
    """Leave the thread with a connection that does not work any more."""
    connection.ensure_connection()
    connection.connection.close()
    connection.errors_occurred = True


@task
def wait_for(path: str) -> None:
    """Run until a file is there."""
    waiting = threading.Event()
    while not Path(path).exists():
        waiting.wait(0.02)


def not_a_task(path: str) -> None:
    """A function that no job may call."""
    Path(path).write_text("called")


def _inner(number: int) -> int:
    return number


renamed = task(_inner)
"""Decorated, but under another name than its function has."""
