"""The payload and result types of a task set's tasks, read from its annotations."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, get_args, get_origin

from corral.contracts.annotations import evaluate, raw_annotations
from corral.contracts.task import Task
from corral.errors import InvalidTask

__all__ = ["TaskTypes"]


class TaskTypes:
    """Reads the annotations of one task set. ``namespace`` holds the local names where the class was made."""

    def __init__(self, owner: type[Any], namespace: Mapping[str, Any]) -> None:
        self._owner = owner
        self._namespace = namespace

    def check_declared(self) -> None:
        """Raise `InvalidTask` for ``send: Task[…]`` without ``= task(…)``."""
        for attribute, annotation in raw_annotations(self._owner).items():
            text = annotation if isinstance(annotation, str) else getattr(annotation, "__forward_arg__", "")
            is_task = get_origin(annotation) is Task or text.startswith(("Task[", "corral.Task["))
            if is_task and attribute not in vars(self._owner):
                raise InvalidTask(
                    f"{self._owner.__name__}.{attribute}",
                    f'declare it with its name: {attribute}: Task[…] = task("…")',
                )

    def of(self, attribute: str) -> tuple[Any, Any]:
        """The payload and result type. Raises `InvalidTask`, or `TypeNotReady` if a name does not exist (yet)."""
        label = f"{self._owner.__name__}.{attribute}"
        annotation = raw_annotations(self._owner).get(attribute)
        if annotation is None:
            raise InvalidTask(label, "annotate it with its types: Task[Payload, Result]")
        annotation = self._evaluate(annotation, label)
        if get_origin(annotation) is not Task:
            raise InvalidTask(label, f"its annotation is {annotation!r}, and has to be Task[Payload, Result]")
        payload, result = get_args(annotation)
        return self._evaluate(payload, label), self._evaluate(result, label)

    def _evaluate(self, annotation: Any, label: str) -> Any:
        module = sys.modules.get(self._owner.__module__)
        # Task may be imported for type checkers only; what it stands for here is known anyway.
        names = {"Task": Task, **(vars(module) if module else {})}
        return evaluate(annotation, label, names, {**self._namespace, **vars(self._owner)})
