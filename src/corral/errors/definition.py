"""What the program declares."""

from __future__ import annotations

from corral.errors.root import CorralError

__all__ = [
    "DefinitionError",
    "DuplicateTask",
    "InvalidTask",
    "TargetNotFound",
    "UnknownTask",
    "UnpicklableHandler",
]


class DefinitionError(CorralError):
    """The program declares something that cannot work."""


class DuplicateTask(DefinitionError):
    """Two tasks of one queue have the same name: a job could not say which of them it is for."""

    def __init__(self, queue: str, name: str) -> None:
        self.queue = queue
        self.name = name
        super().__init__(f"queue {queue!r} has two tasks named {name!r}: rename one of them")


class InvalidTask(DefinitionError):
    """A task, its types, or the handler given for it cannot be used."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(f"task {name!r}: {reason}")


class UnpicklableHandler(DefinitionError):
    """A function for ``InProcess`` cannot be sent to another process."""

    def __init__(self, handler: str, reason: str) -> None:
        self.handler = handler
        self.reason = reason
        super().__init__(
            f"{handler} cannot run in a process of its own: {reason}. Give a function defined at the top level "
            "of an importable module (no lambda, no nested function, no bound method of an object that does not pickle)"
        )


class UnknownTask(DefinitionError):
    """A job has a name that no task of the worker has."""

    def __init__(self, queue: str, name: str) -> None:
        self.queue = queue
        self.name = name
        super().__init__(
            f"no task named {name!r} in queue {queue!r}: give the worker the task set that declares it, or start "
            'it with unknown="park" if another worker serves it'
        )


class TargetNotFound(DefinitionError):
    """A ``module:object`` target does not lead to an object that can be used."""

    def __init__(self, target: str, reason: str) -> None:
        self.target = target
        self.reason = reason
        super().__init__(f"{target!r}: {reason}")
