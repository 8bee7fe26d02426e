"""Which handler runs which job: the task sets of a worker, merged by queue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from corral.contracts.binding import Binding, CatchAll, TaskSource
from corral.contracts.singleton import declared_singletons
from corral.contracts.taskset import TaskSet
from corral.errors import DuplicateTask, InvalidTask
from corral.worker.serve import QueueSettings, Serve

__all__ = ["QueueHandlers", "merge_sources"]


@dataclass(slots=True)
class QueueHandlers:
    """The tasks of one queue by name as the wire has it, the handler of all other jobs, and the settings."""

    queue: str
    settings: QueueSettings
    bindings: dict[bytes, Binding] = field(default_factory=dict)
    fallback: CatchAll | None = None

    def singletons(self) -> str:
        """The rules of the singleton tasks, as claims declare them."""
        specs = [binding.spec for binding in self.bindings.values()]
        return declared_singletons((spec.name, spec.options.singleton) for spec in specs)


def merge_sources(sources: Sequence[TaskSource | Serve], settings: QueueSettings) -> list[QueueHandlers]:
    """Merge task sets that share a queue. Settings of a `Serve` go over `settings`, for the whole queue.

    Raises:
        DuplicateTask: two tasks of one name in one queue, or two catch-all handlers.
        InvalidTask: something that is no task set, or the class of one instead of an instance.
    """
    if not sources:
        raise InvalidTask("Worker", "there is nothing to serve: give an instance of a TaskSet, or a Queue")
    queues: dict[str, QueueHandlers] = {}
    for given in sources:
        source = given.source if isinstance(given, Serve) else given
        _check_source(source)
        found = queues.setdefault(source.queue, QueueHandlers(source.queue, settings))
        if isinstance(given, Serve):
            found.settings = found.settings.over(given.changes)
        _add(found, source)
    return list(queues.values())


def _check_source(source: object) -> None:
    if isinstance(source, type) and issubclass(source, TaskSet):
        name = source.__name__
        raise InvalidTask(name, f"give an instance, with a handler for each task: Worker({name}(send=…))")
    if not hasattr(source, "bindings") or not hasattr(source, "queue"):
        raise InvalidTask(repr(source), "a worker serves instances of a TaskSet, or a Queue")


def _add(handlers: QueueHandlers, source: TaskSource) -> None:
    for name, binding in source.bindings().items():
        wire_name = name.encode()
        if wire_name in handlers.bindings:
            raise DuplicateTask(handlers.queue, name)
        handlers.bindings[wire_name] = binding
    if source.fallback is not None:
        if handlers.fallback is not None:
            raise DuplicateTask(handlers.queue, "*")
        handlers.fallback = source.fallback
