"""The tasks that are known by name, so that a payload can be validated before it is stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any, TypeAlias

import pydantic_core

from corral.contracts.binding import TaskSource
from corral.contracts.codec import JSON_CODEC
from corral.contracts.spec import TaskSpec, untyped_spec
from corral.contracts.task import Task
from corral.contracts.taskset import TaskSet
from corral.http.problem import Problem

__all__ = ["Catalogue", "Tasks", "value_for"]

Tasks: TypeAlias = TaskSource | type[TaskSet] | Task[Any, Any]
"""Where tasks are declared: a task set or an instance of one, a `Queue`, a task."""

Spec: TypeAlias = TaskSpec[Any, Any]


class Catalogue:
    """Finds a task by what callers call it."""

    def __init__(self, tasks: Iterable[Tasks] = ()) -> None:
        self._specs = {(spec.queue, spec.name): spec for source in tasks for spec in _specs_of(source)}

    @property
    def specs(self) -> list[Spec]:
        """All of them, by queue and name."""
        return [self._specs[key] for key in sorted(self._specs)]

    def find(self, queue: str, name: str) -> Spec | None:
        """The task of a queue, if it is known."""
        return self._specs.get((queue, name))

    def resolve(self, handler: str, queue: str | None = None) -> Spec:
        """The task that `handler` names: by its name, or as `queue:name`; with a queue also one that is not known, as
        long as no task of that queue is. Raises `Problem` 422, with the reason."""
        if queue is None:
            named = [spec for spec in self.specs if spec.name == handler]
            if len(named) == 1:
                return named[0]
            if named:
                raise _unclear(handler, [spec.queue for spec in named])
            queue, colon, name = handler.partition(":")
            if not colon:
                raise self._unknown(handler, None)
            handler = name
        found = self.find(queue, handler)
        if found is not None:
            return found
        if any(spec.queue == queue for spec in self.specs):
            raise self._unknown(handler, queue)
        return untyped_spec(queue, handler)

    def _unknown(self, handler: str, queue: str | None) -> Problem:
        names = sorted({spec.name for spec in self.specs if queue in (None, spec.queue)})
        close = get_close_matches(handler, names, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        where = "" if queue is None else f" of queue {queue!r}"
        remedy = (
            ""
            if queue
            else "; for a task of another program say which queue: queue, or handler as queue:name"
        )
        detail = f"no task{where} is called {handler!r}{hint}{remedy}"
        return Problem(422, "unknown-task", detail, errors=[{"path": "handler", "message": "unknown"}])


def value_for(spec: Spec | None, payload: Any) -> Any:
    """A payload that came as JSON, as the task takes it; as it is, where none is known. Raises `InvalidPayload`."""
    if spec is None or spec.payload is JSON_CODEC:
        return {} if payload is None else payload  # as BullMQ has it
    return spec.payload.decode(pydantic_core.to_json(payload))


def _specs_of(source: Tasks) -> Iterator[Spec]:
    if isinstance(source, Task):
        yield source.spec
    elif isinstance(source, type):
        yield from (task.spec for task in source.tasks().values())
    else:
        yield from (binding.spec for binding in source.bindings().values())


def _unclear(handler: str, queues: list[str]) -> Problem:
    detail = (
        f"several queues have a task {handler!r}: say which one, queue or handler as queue:name, of {queues}"
    )
    return Problem(422, "unclear-task", detail, errors=[{"path": "handler", "message": "not clear"}])
