# pyright: reportMissingImports=false
"""A call of a Django task as a job: its arguments, priority and time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.tasks.base import TASK_MAX_PRIORITY, TASK_MIN_PRIORITY, Task
from django.utils import timezone
from django.utils.json import normalize_json
from pydantic import BaseModel, Field, ValidationError

from corral.contracts.job import Job
from corral.errors import FieldProblem, InvalidPayload

__all__ = ["Call", "call_of", "enqueue_options", "task_priority"]


class Call(BaseModel):
    """What a job of a Django task has as its data. A program of another language may enqueue it too."""

    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    run_after: datetime | None = Field(None, alias="runAfter")

    @classmethod
    def of(cls, task: Task, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Call:
        """The call of a task. Raises `TypeError` or `ValueError` for an argument that is not JSON."""
        return cls(args=normalize_json(args), kwargs=normalize_json(kwargs), runAfter=task.run_after)

    def data(self) -> dict[str, Any]:
        """As the job has it."""
        given: dict[str, Any] = {"args": self.args, "kwargs": self.kwargs}
        return given if self.run_after is None else {**given, "runAfter": self.run_after.isoformat()}


def call_of(job: Job) -> Call:
    """The call that a job stands for. Raises `InvalidPayload` for data that is none."""
    try:
        return Call.model_validate(job.data)
    except ValidationError as error:
        problems = [FieldProblem(".".join(map(str, one["loc"])), one["msg"]) for one in error.errors()]
        raise InvalidPayload(job.name, problems) from None


def enqueue_options(task: Task) -> dict[str, Any]:
    """Priority and time of a task, as Corral has them.

    Django: -100 to 100, the highest first. BullMQ: 0 to 2,097,151, the lowest first. So 100 becomes 0, 0 becomes
    100, and -100 becomes 200.
    """
    options: dict[str, Any] = {"priority": TASK_MAX_PRIORITY - task.priority}
    if task.run_after is not None:
        aware = timezone.is_aware(task.run_after)
        options["run_at"] = task.run_after if aware else timezone.make_aware(task.run_after)
    return options


def task_priority(stored: int) -> int:
    """The priority, as Django has it, of a job that an operator or another program may have given any."""
    return int(max(TASK_MIN_PRIORITY, TASK_MAX_PRIORITY - stored))
