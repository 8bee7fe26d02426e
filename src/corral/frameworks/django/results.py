# pyright: reportMissingImports=false
"""A job as Django's `TaskResult`."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from django.conf import settings
from django.tasks import TaskResult, TaskResultStatus
from django.tasks.base import TaskError
from django.utils import timezone

from corral.contracts.failure import FailureKind
from corral.contracts.job import Job
from corral.contracts.states import JobState
from corral.frameworks.django.calls import call_of, task_priority
from corral.frameworks.django.finding import find_task
from corral.frameworks.django.past_runs import past_runs

__all__ = ["result_id", "result_of"]

STATUS: Final = {
    JobState.ACTIVE: TaskResultStatus.RUNNING,
    JobState.COMPLETED: TaskResultStatus.SUCCESSFUL,
    JobState.FAILED: TaskResultStatus.FAILED,
}
"""Of all others: READY."""

CANCELLED: Final = (FailureKind.CANCELLED, FailureKind.SUPERSEDED)


def result_id(queue: str, job_id: str) -> str:
    """The id of a result names its queue, so that one look finds it."""
    return f"{queue}:{job_id}"


def result_of(job: Job, alias: str) -> TaskResult:
    """A job as the result of its task, which belongs to the backend `alias`.

    `started_at` is that of the first run as far as its traceback is kept; an empty text among `worker_ids` stands for a
    run of which nothing is known any more. Raises `InvalidTask` or `InvalidPayload` for a job that is of no task.
    """
    call, runs = call_of(job), past_runs(job)
    task = replace(
        find_task(job.name),
        backend=alias,
        queue_name=job.queue,
        priority=task_priority(job.priority),
        run_after=_django_time(call.run_after),
    )
    started = next((run.since for run in runs if run.since), job.processed_on)
    result = TaskResult(
        task=task,
        id=result_id(job.queue, job.id),
        status=STATUS.get(job.state, TaskResultStatus.READY) if job.state else TaskResultStatus.READY,
        enqueued_at=_django_time(job.timestamp),
        started_at=_django_time(started),
        last_attempted_at=_django_time(job.processed_on),
        finished_at=_django_time(job.finished_on),
        args=call.args,
        kwargs=call.kwargs,
        backend=alias,
        errors=_errors(job),
        worker_ids=_workers(job),
    )
    object.__setattr__(result, "_return_value", job.returnvalue)  # as Django's own backends do: it is frozen
    return result


def _errors(job: Job) -> list[TaskError]:
    found = [TaskError(exception_class_path=run.exception, traceback=run.traceback) for run in past_runs(job)]
    if job.state is JobState.FAILED and not found:  # it failed without a run: cancelled, or stalled too often
        kind = "JobCancelled" if job.failure_kind in CANCELLED else "JobFailed"
        found.append(
            TaskError(exception_class_path=f"corral.errors.{kind}", traceback=job.failed_reason or "")
        )
    return found


def _workers(job: Job) -> list[str]:
    """As many as runs have begun: Django counts attempts by them."""
    known = [run.worker or "" for run in past_runs(job)]
    missing = job.attempts_started - len(known)
    if missing > 0:
        known += [""] * (missing - 1) + [job.processed_by or ""]
    return known[len(known) - job.attempts_started :]


def _django_time(moment: datetime | None) -> datetime | None:
    """Aware or naive, as the settings have it."""
    if moment is None or timezone.is_aware(moment) == settings.USE_TZ:
        return moment
    turned: datetime = timezone.make_aware(moment) if settings.USE_TZ else timezone.make_naive(moment)
    return turned
