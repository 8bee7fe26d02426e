"""A task and its handler: how it runs, whether it takes a context, and which functions cannot serve."""

from __future__ import annotations

import asyncio
import functools
import re
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any
from unittest.mock import AsyncMock

import pytest

from corral.contracts.binding import bind
from corral.contracts.codec import Codec
from corral.contracts.isolation import InProcess, InThread
from corral.contracts.options import DEFAULTS
from corral.contracts.spec import TaskSpec
from corral.errors import InvalidTask

SPEC: TaskSpec[int, int] = TaskSpec(
    "email", "send", Codec.of(int, task="send"), Codec.of(int, task="send", role="result"), DEFAULTS
)


def named(value: object) -> str:
    """Name a case without its address, so that it has the same name in every process."""
    return re.sub(r" at 0x\w+| id=.\d+.", "", str(value))


async def payload_only(number: int) -> int:
    """Take the payload."""
    return number


async def with_context(number: int, ctx: object) -> int:
    """Take both."""
    return number


async def with_default(number: int, retries: int = 3) -> int:
    """Have a parameter of its own."""
    return number


async def with_optional_context(number: int, ctx: object = None) -> int:
    """Have a context that unit tests may leave out."""
    return number


async def anything(*arguments: Any) -> int:
    """Take anything."""
    return 1


def blocking(number: int) -> int:
    """Block."""
    return number


def blocking_with_context(number: int, ctx: object) -> int:
    """Block, with the context."""
    return number


def gives_coroutine(number: int) -> Coroutine[Any, Any, int]:
    """Be no async def, and give a coroutine."""
    return payload_only(number)


def gives_awaitable(number: int) -> Awaitable[int]:
    """Be no async def, and give an awaitable."""
    return payload_only(number)


@functools.wraps(payload_only)
def decorated(*arguments: Any) -> Any:
    """Wrap an async def."""
    return payload_only(*arguments)


class Handler:
    """An object whose methods are handlers."""

    async def send(self, number: int) -> int:
        """Take the payload."""
        return number

    async def send_with_context(self, number: int, context: object) -> int:
        """Take both."""
        return number

    def blocking(self, number: int) -> int:
        """Block."""
        return number

    async def __call__(self, number: int) -> int:
        """Be a handler itself."""
        return number


@pytest.mark.parametrize(
    ("handler", "mode", "wants_context"),
    [
        (payload_only, "async", False),
        (with_context, "async", True),
        (with_default, "async", False),
        (with_optional_context, "async", True),
        (anything, "async", False),
        (gives_coroutine, "async", False),
        (gives_awaitable, "async", False),
        (decorated, "async", False),
        (Handler().send, "async", False),
        (Handler().send_with_context, "async", True),
        (Handler(), "async", False),
        (functools.partial(with_context, ctx=None), "async", False),
        (functools.partial(with_context, 5), "async", False),
        (lambda number: payload_only(number), "async", False),
        (AsyncMock(), "async", False),
        (InThread(blocking), "thread", False),
        (InThread(blocking_with_context), "thread", True),
        (InProcess(blocking), "process", False),
    ],
    ids=named,
)
def test_how_a_handler_runs(handler: Any, mode: str, wants_context: bool) -> None:
    """On the loop, in a thread or in a process; with the context if it has a second parameter for it."""
    binding = bind(SPEC, handler)
    assert (binding.mode, binding.wants_context) == (mode, wants_context)
    assert binding.spec is SPEC


def test_the_function_inside_a_wrapper_is_what_runs() -> None:
    """A worker calls the user's function, not the wrapper."""
    assert bind(SPEC, InThread(blocking)).function is blocking
    assert bind(SPEC, InProcess(blocking)).function is blocking
    assert bind(SPEC, payload_only).function is payload_only


@pytest.mark.parametrize(
    "handler", [blocking, functools.partial(blocking), Handler().blocking, len], ids=named
)
def test_a_plain_function_is_refused_with_the_remedy(handler: Callable[..., Any]) -> None:
    """It would block every other job: it has to say where it runs."""
    with pytest.raises(InvalidTask, match="InThread"):
        bind(SPEC, handler)


async def three(number: int, ctx: object, more: int) -> int:
    """Want too much."""
    return number


async def keyword(number: int, *, more: int) -> int:
    """Want something by name."""
    return number


async def nothing() -> int:
    """Take nothing."""
    return 1


@pytest.mark.parametrize("handler", [three, keyword, nothing])
def test_a_handler_takes_the_payload_and_perhaps_the_context(handler: Any) -> None:
    """Any other signature could only fail when the first job runs."""
    with pytest.raises(InvalidTask, match=r"\(payload\) or \(payload, ctx\)"):
        bind(SPEC, handler)


@pytest.mark.parametrize("handler", [None, 5, "send"])
def test_a_handler_is_a_function(handler: Any) -> None:
    """What cannot be called is no handler."""
    with pytest.raises(InvalidTask, match="not a function"):
        bind(SPEC, handler)


def test_no_context_reaches_another_process() -> None:
    """A context is bound to the worker's loop and connection."""
    with pytest.raises(InvalidTask, match="payload only"):
        bind(SPEC, InProcess(blocking_with_context))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def test_a_lambda_is_believed() -> None:
    """A lambda may give a coroutine, and this one does."""
    binding = bind(SPEC, lambda number: payload_only(number))
    assert await asyncio.ensure_future(binding.function(5)) == 5
