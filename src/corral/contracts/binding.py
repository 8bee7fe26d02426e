"""A task together with the function that runs it: what task sets and queues give to a worker."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_origin

from corral.contracts.isolation import InProcess, InThread, handler_name
from corral.contracts.job import Job
from corral.contracts.spec import TaskSpec
from corral.errors import InvalidTask

__all__ = ["Binding", "CatchAll", "TaskSource", "bind", "bind_process", "check_catch_all"]

CatchAll = Callable[[Job], Coroutine[Any, Any, Any]]
"""A handler for jobs of any name: ``async def (job: Job) -> result``."""

_AWAITABLES = frozenset({"Awaitable", "Coroutine", "Future", "Task"})


@dataclass(frozen=True, slots=True)
class Binding:
    """How a worker runs the jobs of one task."""

    spec: TaskSpec[Any, Any]
    function: Callable[..., Any]
    mode: Literal["async", "thread", "process"]
    wants_context: bool
    """Whether it is called with ``(payload, ctx)`` instead of ``(payload)``."""


class TaskSource(Protocol):
    """What a worker serves: an instance of a `TaskSet`, or a `Queue`."""

    @property
    def queue(self) -> str:
        """The queue's name."""
        ...

    @property
    def fallback(self) -> CatchAll | None:
        """The handler of jobs whose name no task has."""
        ...

    def bindings(self) -> Mapping[str, Binding]:
        """The tasks by name, each with its handler."""
        ...


def bind(spec: TaskSpec[Any, Any], handler: Any) -> Binding:
    """``handler`` as the one that runs ``spec``. Raises `InvalidTask` when it cannot."""
    if isinstance(handler, InThread):
        return Binding(spec, handler.function, "thread", _wants_context(spec.name, handler.function))
    if isinstance(handler, InProcess):
        return bind_process(spec, handler.function)
    if not callable(handler):
        raise InvalidTask(spec.name, f"its handler is not a function: {handler!r}")
    if _surely_blocking(handler):
        name = handler_name(handler)
        raise InvalidTask(
            spec.name,
            f"its handler {name} is a plain function and would block the worker: make it async def, or give "
            f"InThread({name.rpartition('.')[2]}) or InProcess(…); in a Queue, @queue.task(run=InThread)",
        )
    return Binding(spec, handler, "async", _wants_context(spec.name, handler))


def bind_process(spec: TaskSpec[Any, Any], function: Callable[..., Any]) -> Binding:
    """``function``, which another process can import, as the one that runs ``spec`` there."""
    if _wants_context(spec.name, function):
        raise InvalidTask(spec.name, "a function in a process of its own takes the payload only, no context")
    return Binding(spec, function, "process", wants_context=False)


def check_catch_all(function: CatchAll) -> None:
    """Raise `InvalidTask` for a function that cannot be called with a job alone, or would block the worker."""
    if _surely_blocking(function):
        raise InvalidTask(
            handler_name(function), "it would block the worker: a catch-all handler is an async def"
        )
    try:
        inspect.signature(function).bind("the job")
    except ValueError:  # some builtins have no signature
        return
    except TypeError as error:
        reason = f"a catch-all handler gets the job and nothing else, async def (job: Job): {error}"
        raise InvalidTask(handler_name(function), reason) from None


def _surely_blocking(handler: Callable[..., Any]) -> bool:
    """Whether calling it can give no awaitable. A lambda or a callable object may give one, and is believed."""
    function: Any = handler
    while isinstance(function, functools.partial):
        function = function.func
    function = inspect.unwrap(function)
    if inspect.iscoroutinefunction(function):
        return False
    if not (inspect.isfunction(function) or inspect.ismethod(function)):
        return inspect.isbuiltin(function)
    if function.__name__ == "<lambda>":
        return False
    returns = function.__annotations__.get("return")
    name = returns if isinstance(returns, str) else getattr(get_origin(returns) or returns, "__name__", "")
    return name.partition("[")[0].rpartition(".")[2] not in _AWAITABLES


def _wants_context(task: str, function: Callable[..., Any]) -> bool:
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # some builtins have no signature
        return False
    positional = [p for p in parameters if p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD}]
    required = [p for p in positional if p.default is p.empty]
    keyword_only = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty]
    takes_any = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    if len(required) > 2 or keyword_only or (not positional and not takes_any):
        raise InvalidTask(
            task,
            f"its handler {handler_name(function)} takes {inspect.signature(function)}: (payload) or (payload, ctx)",
        )
    if len(required) == 2:
        return True
    return len(positional) > 1 and positional[1].name in {"ctx", "context"}
