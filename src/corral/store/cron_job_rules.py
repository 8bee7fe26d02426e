"""What a cron job has to be. Pure: what is wrong comes back as values, each with its field."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

from corral.contracts.arguments import flag, whole
from corral.contracts.codec import JSON_CODEC
from corral.contracts.cron_pattern import parse_cron
from corral.contracts.duration import MAX_MS
from corral.contracts.names import check_queue_name, check_schedule_id
from corral.contracts.options import MAX_ATTEMPTS
from corral.contracts.spec import untyped_spec
from corral.contracts.zone import find_zone
from corral.errors import (
    FieldProblem,
    InvalidCronJob,
    InvalidInput,
    InvalidOption,
    InvalidPayload,
    InvalidQueueName,
    InvalidSchedule,
)
from corral.store.cron_job import JSON_NAMES, CronJob
from corral.store.known_tasks import KnownTasks
from corral.store.texts import text_fault
from corral.store.unreadable import Unreadable

__all__ = ["LONGEST_JOB_ID", "check", "completed", "problems_of"]

LONGEST_JOB_ID: Final = 150
"""Bytes. A schedule's id may have 200, but the ids of triggered jobs hold this one and more."""

TEXTS: Final = {
    "job_id": LONGEST_JOB_ID,
    "name": 200,
    "pattern": 1000,
    "handler": 200,
    "tz": 100,
    "queue": 200,
}
"""The fields that are text, each with the most bytes."""

Problems = Iterator[FieldProblem]


def completed(cron_job: CronJob, tasks: KnownTasks) -> CronJob:
    """``cron_job`` with what it leaves to be filled in: its queue, and a name."""
    queues = tasks.queues_with(cron_job.handler) if isinstance(cron_job.handler, str) else []
    named = cron_job.name or (cron_job.job_id if text_fault(cron_job.job_id, LONGEST_JOB_ID) is None else "")
    return replace(
        cron_job,
        queue=cron_job.queue or (queues[0] if len(queues) == 1 else ""),
        name=named,
        payload={} if cron_job.payload is None else cron_job.payload,
    )


def check(cron_job: CronJob, tasks: KnownTasks) -> None:
    """Raise `InvalidCronJob` if anything is wrong with a completed cron job."""
    if problems := problems_of(cron_job, tasks):
        raise InvalidCronJob(str(cron_job.job_id), problems)


def problems_of(cron_job: CronJob, tasks: KnownTasks) -> list[FieldProblem]:
    """All that is wrong with a completed cron job; nothing, if it can be registered."""
    shapes = [*_shapes(cron_job)]
    return shapes or [*_meanings(cron_job, tasks)]


def _shapes(cron_job: CronJob) -> Problems:
    """What is not even of the right type."""
    for name, most in TEXTS.items():
        if (reason := text_fault(getattr(cron_job, name), most)) is not None:
            yield FieldProblem(JSON_NAMES[name], reason)
    if isinstance(cron_job.payload, Unreadable):
        yield FieldProblem("payload", "it is not JSON: give it anew")
    yield from _tried("enabled", lambda: flag("enabled", cron_job.enabled))
    yield from _tried("max_attempts", lambda: whole("maxAttempts", cron_job.max_attempts, 1, MAX_ATTEMPTS))
    yield from _tried("backoff_ms", lambda: whole("backoffMs", cron_job.backoff_ms, 0, MAX_MS))


def _meanings(cron_job: CronJob, tasks: KnownTasks) -> Problems:
    yield from _tried("job_id", lambda: check_schedule_id(cron_job.job_id))
    yield from _tried("pattern", lambda: parse_cron(cron_job.pattern))
    yield from _tried("tz", lambda: find_zone(cron_job.tz))
    queues = tasks.queues_with(cron_job.handler)
    if not cron_job.queue and len(queues) > 1:
        yield FieldProblem("queue", f"say which: {' or '.join(queues)} has such a task")
    elif not cron_job.queue and tasks.queues:
        yield FieldProblem("handler", f"no task of queue {' or '.join(sorted(tasks.queues))} has this name")
    elif not cron_job.queue:
        yield FieldProblem("queue", "say in which queue its jobs are to run")
    else:
        yield from _tried("queue", lambda: check_queue_name(cron_job.queue))
        yield from _task_problems(cron_job, tasks)


def _task_problems(cron_job: CronJob, tasks: KnownTasks) -> Problems:
    if not cron_job.handler:
        yield FieldProblem("handler", "it is empty: give the name of a task")
    elif tasks.excludes(cron_job.queue, cron_job.handler):
        known = ", ".join(tasks.names(cron_job.queue)) or "none at all"
        yield FieldProblem("handler", f"queue {cron_job.queue!r} has no such task; it has: {known}")
    else:
        yield from _payload_problems(cron_job, tasks)


def _payload_problems(cron_job: CronJob, tasks: KnownTasks) -> Problems:
    known = tasks.get(cron_job.queue, cron_job.handler)
    spec = known or untyped_spec("", cron_job.handler)
    try:
        text = JSON_CODEC.encode(cron_job.payload)
        spec.encoded(spec.payload.decode(text))
    except InvalidPayload as error:
        for path, message in error.problems:
            yield FieldProblem(
                f"payload.{path}".rstrip(".") if path[:1] != "[" else f"payload{path}", message
            )
    except InvalidInput as error:
        yield FieldProblem("payload", str(error))


def _tried(name: str, look: Callable[[], Any]) -> Problems:
    try:
        look()
    except (InvalidOption, InvalidSchedule, InvalidQueueName) as error:
        yield FieldProblem(JSON_NAMES[name], error.reason)
