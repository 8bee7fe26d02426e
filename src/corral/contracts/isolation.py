"""Handlers that are not ``async def``: a blocking function says where it is to run."""

from __future__ import annotations

import functools
import inspect
import pickle
from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

from corral.contracts.context import BlockingContext
from corral.errors import InvalidTask, UnpicklableHandler

__all__ = ["InProcess", "InThread", "check_blocking", "check_importable", "check_picklable", "handler_name"]

P_contra = TypeVar("P_contra", contravariant=True)
R_co = TypeVar("R_co", covariant=True)


class InThread(Generic[P_contra, R_co]):
    """A blocking function that runs in a thread of the worker: ``def (payload)`` or ``def (payload, ctx)``.

    A thread cannot be killed: after a timeout the job is settled and the thread left to end by itself.
    """

    @overload
    def __init__(self, function: Callable[[P_contra], R_co]) -> None: ...
    @overload
    def __init__(self, function: Callable[[P_contra, BlockingContext], R_co]) -> None: ...
    def __init__(self, function: Callable[..., Any]) -> None:
        check_blocking(function, "InThread")
        self.function = function
        functools.update_wrapper(self, function)

    def __call__(self, payload: P_contra, *context: BlockingContext) -> R_co:
        """Run it here and now, as a unit test does."""
        result: R_co = self.function(payload, *context)
        return result


class InProcess(Generic[P_contra, R_co]):
    """A blocking function that runs in a process of its own, which is killed when it takes too long.

    Payload and result are pickled between the two processes. The function is found by its name there, so it must be
    defined at the top level of a module: anything else raises `UnpicklableHandler` at once.
    """

    def __init__(self, function: Callable[[P_contra], R_co]) -> None:
        check_blocking(function, "InProcess")
        check_picklable(function)
        self.function = function
        functools.update_wrapper(self, function)

    def __call__(self, payload: P_contra) -> R_co:
        """Run it here and now, as a unit test does."""
        return self.function(payload)


def check_picklable(function: Callable[..., Any]) -> None:
    """Raise `UnpicklableHandler` unless another process can be told to call ``function``."""
    try:
        pickle.dumps(function)
    except Exception as error:
        raise UnpicklableHandler(handler_name(function), str(error) or type(error).__name__) from error


def check_importable(function: Callable[..., Any]) -> None:
    """Raise `UnpicklableHandler` for a function that no other process can import by its name.

    For a function being decorated, whose module has no such attribute yet: `check_picklable` comes later.
    """
    name = getattr(function, "__qualname__", "<lambda>")
    if "<" in name:
        raise UnpicklableHandler(handler_name(function), "it is not at the top level of a module")


def handler_name(function: Callable[..., Any]) -> str:
    """How errors name a handler."""
    inner = function.func if isinstance(function, functools.partial) else function
    name = getattr(inner, "__qualname__", None) or type(inner).__qualname__
    return f"{getattr(inner, '__module__', '?')}.{name}"


def check_blocking(function: Callable[..., Any], wrapper: str) -> None:
    """Raise `InvalidTask` for what is not a plain function."""
    if isinstance(function, (InThread, InProcess)):
        raise InvalidTask(
            handler_name(function), f"{wrapper}() around a handler that says already where it runs"
        )
    if not callable(function):
        raise InvalidTask(repr(function), f"{wrapper}() takes a function")
    if inspect.iscoroutinefunction(function):
        raise InvalidTask(
            handler_name(function),
            f"it is async def and runs on the worker's loop: give it without {wrapper}()",
        )
