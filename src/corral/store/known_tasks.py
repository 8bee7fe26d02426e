"""The tasks that cron jobs may be for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from corral.contracts.binding import TaskSource
from corral.contracts.spec import TaskSpec
from corral.contracts.taskset import TaskSet

__all__ = ["KnownTasks", "Source"]

Source = type[TaskSet] | TaskSource
"""A task set, as a class or with its handlers, or a `Queue`."""


class KnownTasks:
    """The tasks of some sources, by queue and name. Of queues that no source has, nothing is known."""

    def __init__(self, *sources: Source) -> None:
        self._specs: dict[str, dict[str, TaskSpec[Any, Any]]] = {}
        self._open: set[str] = set()
        for source in sources:
            specs = self._specs.setdefault(source.queue, {})
            specs |= {spec.name: spec for spec in _specs(source)}
            if not isinstance(source, type) and source.fallback is not None:
                self._open.add(source.queue)

    @property
    def queues(self) -> frozenset[str]:
        """The queues of the sources; none where nothing is known."""
        return frozenset(self._specs)

    def get(self, queue: str, name: str) -> TaskSpec[Any, Any] | None:
        """One task, if it is known."""
        return self._specs.get(queue, {}).get(name)

    def excludes(self, queue: str, name: str) -> bool:
        """Whether the queue is known to have no such task."""
        return queue in self._specs and queue not in self._open and name not in self._specs[queue]

    def names(self, queue: str) -> list[str]:
        """The names of a queue's tasks, sorted."""
        return sorted(self._specs.get(queue, ()))

    def queues_with(self, name: str) -> list[str]:
        """The queues that have a task of this name, sorted."""
        return sorted(queue for queue, specs in self._specs.items() if name in specs)


def _specs(source: Source) -> list[TaskSpec[Any, Any]]:
    if isinstance(source, type):
        return [task.spec for task in source.tasks().values()]
    bindings: Mapping[str, Any] = source.bindings()
    return [binding.spec for binding in bindings.values()]
