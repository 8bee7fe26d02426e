"""A decorated function: a task that is its own handler."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Generic, ParamSpec, TypeVar

from corral.contracts.annotations import evaluate, raw_annotations
from corral.contracts.isolation import handler_name
from corral.contracts.task import Task
from corral.errors import InvalidTask

__all__ = ["FunctionTask", "FunctionTypes"]

P = TypeVar("P")
R = TypeVar("R")
A = ParamSpec("A")
C = TypeVar("C")


class FunctionTask(Task[P, R], Generic[P, R, A, C]):
    """What ``@queue.task`` makes of a function: still callable as the function was, and a `Task` that enqueues."""

    __name__: str
    function: Callable[A, C]

    def __init__(self, name: str, function: Callable[A, C]) -> None:
        super().__init__(name, {})
        functools.update_wrapper(self, function)
        self.function = function

    def __call__(self, *args: A.args, **kwargs: A.kwargs) -> C:
        """Call the function itself, as a unit test does."""
        return self.function(*args, **kwargs)

    def __get__(self, obj: object | None, owner: type[Any] | None = None, /) -> Any:
        """Itself: it has its handler already, wherever it stands."""
        return self

    def __reduce__(self) -> str:
        # By name, as functions are: the module's attribute is this object, no longer the function.
        return handler_name(self.function).removeprefix(f"{self.function.__module__}.")


class FunctionTypes:
    """The payload and result type of a handler: of its first parameter and what it returns. Unannotated is Any."""

    def __init__(self, function: Callable[..., Any], namespace: Mapping[str, Any]) -> None:
        self._function = inspect.unwrap(function)
        self._namespace = namespace
        self._label = handler_name(function)

    @property
    def payload(self) -> Any:
        """Raises `InvalidTask` for a function without parameters, `TypeNotReady` for a name that is missing yet."""
        parameters = [name for name in inspect.signature(self._function).parameters if name != "self"]
        if not parameters:
            raise InvalidTask(self._label, "a handler takes the payload as its first parameter, be it None")
        return self._evaluate(parameters[0])

    @property
    def result(self) -> Any:
        """Raises `TypeNotReady` for a name that is missing yet."""
        return self._evaluate("return")

    def _evaluate(self, name: str) -> Any:
        annotation = raw_annotations(self._function).get(name, Any)
        names = getattr(self._function, "__globals__", {})
        return evaluate(annotation, self._label, names, self._namespace)
