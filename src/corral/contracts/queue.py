"""`Queue`: the short form, for scripts and single-service programs. A decorated function is task and handler in one."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any, TypeVar, Unpack, overload

from corral.contracts.annotations import calling_namespace
from corral.contracts.binding import Binding, CatchAll, bind, bind_process, check_catch_all
from corral.contracts.codec import Codec, TypeNotReady
from corral.contracts.context import Context
from corral.contracts.decorators import AsyncDecorator, ProcessDecorator, ThreadDecorator
from corral.contracts.function_task import FunctionTask, FunctionTypes
from corral.contracts.isolation import (
    InProcess,
    InThread,
    check_blocking,
    check_importable,
    check_picklable,
    handler_name,
)
from corral.contracts.names import check_queue_name
from corral.contracts.options import DEFAULTS, TaskOptions, merge_task_options
from corral.contracts.spec import TaskSpec
from corral.errors import DuplicateTask, InvalidTask

__all__ = ["Queue"]

P = TypeVar("P")
R = TypeVar("R")
Returns = Coroutine[Any, Any, R]


class Queue:
    """A queue whose tasks are decorated functions.

    ::

        emails = Queue("email")

        @emails.task(attempts=5)
        async def welcome(payload: Welcome) -> Receipt: ...

        await welcome.enqueue(client, Welcome(…))
        Worker(emails)

    The options are defaults for its tasks: see `TaskOptions`. Raises `InvalidQueueName` and `InvalidOption`.
    """

    def __init__(self, queue: str, **options: Unpack[TaskOptions]) -> None:
        self._queue = check_queue_name(queue)
        self._defaults = merge_task_options(DEFAULTS, options)
        self._bindings: dict[str, Binding] = {}
        self._fallback: CatchAll | None = None

    def __repr__(self) -> str:
        return f"Queue({self._queue!r}, tasks={list(self._bindings)})"

    @property
    def queue(self) -> str:
        """The queue's name."""
        return self._queue

    @property
    def fallback(self) -> CatchAll | None:
        """The handler of jobs whose name no task has."""
        return self._fallback

    def bindings(self) -> Mapping[str, Binding]:
        """The tasks by name, each with its handler. Raises `UnpicklableHandler` for one that no process can import."""
        for binding in self._bindings.values():
            if binding.mode == "process":
                check_picklable(binding.function)
        return MappingProxyType(dict(self._bindings))

    def catch_all(self, function: CatchAll) -> CatchAll:
        """Serve the jobs whose name no task has, for a queue whose names are open: ``async def (job: Job)``.

        Raises `InvalidTask` for a second one, a plain ``def``, and one that cannot be called with a job alone."""
        check_catch_all(function)
        if self._fallback is not None:
            raise InvalidTask(
                handler_name(function), f"queue {self._queue!r} has its catch-all handler already"
            )
        self._fallback = function
        return function

    @overload
    def task(self, function: Callable[[P], Returns[R]], /) -> FunctionTask[P, R, [P], Returns[R]]: ...
    @overload
    def task(
        self, function: Callable[[P, Context], Returns[R]], /
    ) -> FunctionTask[P, R, [P, Context], Returns[R]]: ...
    @overload
    def task(
        self, *, name: str | None = None, run: None = None, **options: Unpack[TaskOptions]
    ) -> AsyncDecorator: ...
    @overload
    def task(
        self, *, name: str | None = None, run: type[InThread[Any, Any]], **options: Unpack[TaskOptions]
    ) -> ThreadDecorator: ...
    @overload
    def task(
        self, *, name: str | None = None, run: type[InProcess[Any, Any]], **options: Unpack[TaskOptions]
    ) -> ProcessDecorator: ...
    def task(
        self,
        function: Callable[..., Any] | None = None,
        *,
        name: str | None = None,
        run: type[Any] | None = None,
        **options: Unpack[TaskOptions],
    ) -> Any:
        """Make a task of a function: ``@queue.task``, or ``@queue.task(attempts=5, name="…", run=InThread)``.

        Its name is ``name``, else the function's. The payload type is its first parameter's, the result type what it
        returns. Raises `InvalidTask`, `DuplicateTask`, `InvalidOption` or `UnpicklableHandler`.
        """
        namespace = calling_namespace(1)

        def make(function: Callable[..., Any]) -> FunctionTask[Any, Any, ..., Any]:
            return self._add(function, name, run, options, namespace)

        return make if function is None else make(function)

    def _add(
        self,
        function: Callable[..., Any],
        name: str | None,
        run: type[Any] | None,
        options: TaskOptions,
        namespace: Mapping[str, Any],
    ) -> FunctionTask[Any, Any, ..., Any]:
        name = name or getattr(function, "__name__", "")
        if not isinstance(name, str) or not name:
            raise InvalidTask(handler_name(function), "a task needs a name: name=…")
        if name in self._bindings:
            raise DuplicateTask(self._queue, name)
        made: FunctionTask[Any, Any, ..., Any] = FunctionTask(name, function)
        types = FunctionTypes(function, namespace)
        payload: Codec[Any] = Codec(lambda: types.payload, task=name)
        result: Codec[Any] = Codec(lambda: types.result, task=name, role="result")
        with suppress(TypeNotReady):  # of a model defined further down: the codec resolves it on first use
            payload.build()
            result.build()
        spec = TaskSpec(self._queue, name, payload, result, merge_task_options(self._defaults, options))
        made.complete(spec)
        self._bindings[name] = self._bound(spec, made, run)
        return made

    def _bound(
        self, spec: TaskSpec[Any, Any], made: FunctionTask[Any, Any, ..., Any], run: type[Any] | None
    ) -> Binding:
        if run is None:
            return bind(spec, made.function)
        if run is InThread:
            return bind(spec, InThread(made.function))
        if run is InProcess:
            check_blocking(made.function, "InProcess")
            check_importable(made.function)
            # The decorated object goes to the other process: it is what the module has under that name.
            return bind_process(spec, made)
        raise InvalidTask(spec.name, f"run={run!r}: InThread or InProcess, or nothing for an async def")
