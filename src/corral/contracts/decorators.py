"""The types of ``@queue.task(…)``: one for each way a function may run."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar, overload

from corral.contracts.context import BlockingContext, Context
from corral.contracts.function_task import FunctionTask

__all__ = ["AsyncDecorator", "ProcessDecorator", "ThreadDecorator"]

P = TypeVar("P")
R = TypeVar("R")
Returns = Coroutine[Any, Any, R]


class AsyncDecorator(Protocol):
    """Makes a task of an ``async def``."""

    @overload
    def __call__(self, function: Callable[[P], Returns[R]], /) -> FunctionTask[P, R, [P], Returns[R]]: ...
    @overload
    def __call__(
        self, function: Callable[[P, Context], Returns[R]], /
    ) -> FunctionTask[P, R, [P, Context], Returns[R]]: ...


class ThreadDecorator(Protocol):
    """Makes a task of a ``def`` that runs in a thread."""

    @overload
    def __call__(self, function: Callable[[P], R], /) -> FunctionTask[P, R, [P], R]: ...
    @overload
    def __call__(
        self, function: Callable[[P, BlockingContext], R], /
    ) -> FunctionTask[P, R, [P, BlockingContext], R]: ...


class ProcessDecorator(Protocol):
    """Makes a task of a ``def`` that runs in a process of its own."""

    def __call__(self, function: Callable[[P], R], /) -> FunctionTask[P, R, [P], R]:
        """Make the task."""
        ...
