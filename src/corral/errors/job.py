"""About one job."""

from __future__ import annotations

import signal
from collections.abc import Sequence

from corral.errors.root import CorralError

__all__ = [
    "HandlerRaised",
    "JobCancelled",
    "JobError",
    "JobFailed",
    "JobGone",
    "JobLocked",
    "JobNotInState",
    "JobScheduled",
    "ProcessDied",
    "ScheduleTaken",
    "StaleRun",
]


class JobError(CorralError):
    """Something about one job."""


class JobFailed(JobError):
    """The job failed for good; ``reason`` is its ``failedReason``."""

    def __init__(self, job_id: str, reason: str, attempts_made: int) -> None:
        self.job_id = job_id
        self.reason = reason
        self.attempts_made = attempts_made
        times = "1 attempt" if attempts_made == 1 else f"{attempts_made} attempts"
        super().__init__(f"job {job_id} failed after {times}: {reason}")


class JobGone(JobError):
    """There is no such job: never added, removed, or trimmed after it had finished."""

    def __init__(self, job_id: str) -> None:
        self.job_id = job_id
        super().__init__(
            f"job {job_id} is not kept: it was removed, trimmed after it finished (remove_on_complete, "
            "remove_on_fail), or never added"
        )


class JobCancelled(JobError):
    """The job was cancelled; ``reason`` is what the canceller said. ``superseded_by`` is the id of the newer job that
    has taken its place, None where somebody cancelled it."""

    def __init__(self, job_id: str, reason: str, superseded_by: str | None = None) -> None:
        self.job_id = job_id
        self.reason = reason
        self.superseded_by = superseded_by
        super().__init__(f"job {job_id} was cancelled: {reason}" if reason else f"job {job_id} was cancelled")


class JobNotInState(JobError):
    """A job is in a state that does not allow what was asked for. Nothing was changed."""

    def __init__(self, job_id: str, verb: str, state: str, allowed: Sequence[str]) -> None:
        self.job_id = job_id
        self.verb = verb
        self.state = state
        self.allowed = tuple(allowed)
        super().__init__(
            f"job {job_id} is {state} and cannot be {verb}: only jobs that are {' or '.join(self.allowed)} can"
        )


class JobLocked(JobError):
    """A worker runs the job, or the job ``locked`` below it. Nothing was changed."""

    def __init__(self, job_id: str, locked: str = "") -> None:
        self.job_id = job_id
        self.locked = locked or job_id
        which = f"job {locked}, which is below job {job_id}" if self.locked != job_id else f"job {job_id}"
        super().__init__(f"a worker runs {which}, so it cannot be removed: try again when the run has ended")


class JobScheduled(JobError):
    """The job, or the job ``scheduled`` below it, is the next run of a schedule, which would end without it."""

    def __init__(self, job_id: str, scheduled: str = "") -> None:
        self.job_id = job_id
        self.scheduled = scheduled or job_id
        super().__init__(
            f"job {self.scheduled} is the next run of its schedule, which would end without it: remove the "
            "schedule, or promote the job to let it run now"
        )


class ScheduleTaken(JobError):
    """The job of a schedule's next run exists already, and does not wait for it."""

    def __init__(self, queue: str, schedule_id: str) -> None:
        self.queue = queue
        self.schedule_id = schedule_id
        super().__init__(
            f"the job of the next run of schedule {schedule_id!r} in queue {queue!r} exists already, because it was "
            "promoted or is kept from before: remove that job, or try again after that run"
        )


class StaleRun(JobError):
    """This run of the job has ended or was superseded by a later one, so its writes are refused."""

    def __init__(self, job_id: str) -> None:
        self.job_id = job_id
        super().__init__(
            f"this run of job {job_id} is over: it has ended, the job was recovered as stalled and belongs to a later "
            "run, or it was removed. What this run still writes is refused"
        )


class HandlerRaised(JobError):
    """A handler raised in a process of its own. The message is that of its exception."""

    def __init__(self, type_name: str, message: str, trace: str) -> None:
        self.type_name = type_name
        self.trace = trace
        super().__init__(message or type_name)
        # As `concurrent.futures` does: the traceback of another process is text, and shown as the cause.
        self.__cause__ = _RemoteTraceback(trace)


class _RemoteTraceback(Exception):
    """Where a handler raised, in its own process."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


class ProcessDied(JobError):
    """The process that ran a job's handler ended instead of returning: ``signal`` killed it, or ``exit_code``."""

    def __init__(self, returncode: int) -> None:
        self.signal = -returncode if returncode < 0 else None
        self.exit_code = returncode if returncode >= 0 else None
        super().__init__(f"the handler's process {_ending(returncode)}")


def _ending(returncode: int) -> str:
    if returncode >= 0:
        return f"ended itself with exit code {returncode} (sys.exit or os._exit in the handler)"
    try:
        name = signal.Signals(-returncode).name
    except ValueError:
        name = "unknown"
    remedy = "; the system may have run out of memory" if name == "SIGKILL" else ""
    return f"was killed by signal {-returncode} ({name}){remedy}"
