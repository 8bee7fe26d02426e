"""What the caller gave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from corral.errors.root import CorralError, cut

__all__ = [
    "FieldProblem",
    "InvalidCronJob",
    "InvalidEvent",
    "InvalidFlow",
    "InvalidInput",
    "InvalidJobId",
    "InvalidOption",
    "InvalidPayload",
    "InvalidQueueName",
    "InvalidResult",
    "InvalidSchedule",
    "PayloadTooLarge",
]


class InvalidInput(CorralError, ValueError):
    """What the caller gave is not acceptable. Nothing was stored or sent."""


class FieldProblem(NamedTuple):
    """One thing that is wrong inside a value."""

    path: str
    """Where it is, such as ``address.street`` or ``items[3]``; empty for the value as a whole."""
    message: str
    """What is wrong there."""

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class InvalidPayload(InvalidInput):
    """A payload does not validate against its task's type, or is not strict JSON.

    Raised by ``enqueue`` before anything is stored. When it is found in the queue, the job fails at once and
    for good, because another run would meet the same bytes.
    """

    def __init__(self, task: str, problems: Sequence[FieldProblem]) -> None:
        self.task = task
        self.problems = tuple(problems)
        subject = f"the payload of {task!r}" if task else "the payload"
        super().__init__(f"{subject} is not valid: {'; '.join(map(str, self.problems))}")


class PayloadTooLarge(InvalidInput):
    """The JSON of a payload has ``size`` bytes, and ``limit`` are allowed."""

    def __init__(self, size: int, limit: int) -> None:
        self.size = size
        self.limit = limit
        super().__init__(
            f"the payload is {size:,} bytes of JSON and the limit is {limit:,}: store the content elsewhere and "
            "enqueue a reference to it, or raise payload_limit= (of the task, and of set_data)"
        )


class InvalidResult(InvalidInput):
    """A handler returned something that is not the result type of its task, or not strict JSON."""

    def __init__(self, task: str, reason: str) -> None:
        self.task = task
        self.reason = reason
        subject = f"the result of {task!r}" if task else "the result"
        super().__init__(f"{subject} is not valid: {reason}")


class InvalidJobId(InvalidInput):
    """A job id cannot be used."""

    def __init__(self, job_id: str, reason: str) -> None:
        self.job_id = job_id
        self.reason = reason
        super().__init__(f"job id {cut(job_id)} cannot be used: {reason}")


class InvalidEvent(InvalidInput):
    """An event cannot be published. Nothing was written."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(f"the event {name[:200]!r} cannot be published: {reason}")


class InvalidQueueName(InvalidInput):
    """A queue name cannot be used."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(f"queue name {cut(name)} cannot be used: {reason}")


class InvalidOption(InvalidInput):
    """An option is unknown, its value is not allowed, or it excludes another one."""

    def __init__(self, option: str, value: object, reason: str) -> None:
        self.option = option
        self.value = value
        self.reason = reason
        super().__init__(f"{option}={cut(value)}: {reason}")


class InvalidSchedule(InvalidInput):
    """A schedule cannot be: ``field`` says what is wrong with it (``pattern``, ``tz``, ``interval``, ``end``, …)."""

    def __init__(self, field: str, value: object, reason: str) -> None:
        self.field = field
        self.value = value
        self.reason = reason
        super().__init__(f"{field}={cut(value)}: {reason}")


class InvalidCronJob(InvalidInput):
    """A cron job cannot be stored: ``problems`` has the fields, by their names in JSON, and what is wrong there."""

    def __init__(self, job_id: str, problems: Sequence[FieldProblem]) -> None:
        self.job_id = job_id
        self.problems = tuple(problems)
        super().__init__(f"cron job {cut(job_id)} is not valid: {'; '.join(map(str, self.problems))}")


class InvalidFlow(InvalidInput):
    """A flow cannot be added: ``kind`` says why in one word, ``queue`` and ``job_id`` which node it is about, if any.

    ``malformed``: a child is no node. ``duplicate``: a node, or an id, stands in it twice. ``circular``: a job that
    exists would wait for itself. ``too-large``: more nodes or bytes than one step takes. ``too-deep``: a job that
    exists would come below more than 1000 others. ``slots``: its queues are on different nodes of a cluster.
    ``other-parent``: a job that exists has another parent. ``no-parent``, ``parent-not-waiting``: the job that is to
    have further children is not there, or waits for none.
    """

    def __init__(self, kind: str, reason: str, *, queue: str = "", job_id: str | None = None) -> None:
        self.kind = kind
        self.reason = reason
        self.queue = queue
        self.job_id = job_id
        subject = "" if job_id is None else f", job {cut(job_id)} in queue {queue!r}"
        super().__init__(f"flow{subject}: {reason}")
