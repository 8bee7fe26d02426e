"""A client bound to a job id: what ``enqueue`` returns."""

from __future__ import annotations

from typing import Protocol, TypeVar

from corral.contracts.duration import Duration
from corral.contracts.job import Job
from corral.contracts.states import JobState
from corral.contracts.waiting import Waiting

__all__ = ["JobHandle", "SyncJobHandle"]

R_co = TypeVar("R_co", covariant=True)


class JobHandle(Protocol[R_co]):
    """Refers to one job whose result is an ``R``."""

    @property
    def id(self) -> str:
        """The job's id."""
        ...

    @property
    def queue(self) -> str:
        """The queue's name."""
        ...

    @property
    def created(self) -> bool | None:
        """Whether the call that gave this handle stored the job; False when it was there already; None if unknown."""
        ...

    async def result(self, timeout: Duration | None = None) -> R_co:
        """Wait for the job's end and return what its handler returned.

        Raises `JobFailed`, `JobCancelled`, `JobGone`, or `TimeoutError` after ``timeout``.
        """
        ...

    async def wait(self, timeout: Duration | None = None) -> Job:
        """Wait for the job's end, whichever, and return it. Raises `JobGone` or `TimeoutError`."""
        ...

    async def state(self) -> JobState:
        """The job's state now."""
        ...

    async def why_waiting(self) -> Waiting:
        """Why the job does not run yet: the child that it waits for, its time, its queue, or those before it."""
        ...

    async def detach(self) -> bool:
        """Take the job away from its parent, which no longer waits for it. False when none waits for it."""
        ...

    async def cancel(self, reason: str = "", *, children: bool = False) -> bool:
        """Cancel the job: it fails for good, with the kind `FailureKind.CANCELLED` and this reason. True when it has
        ended now; False when it runs, and its worker is told: then it ends no other way, whatever its handler does.

        With ``children`` also all jobs below it that have not ended. A Node worker lets a job that it runs go on.
        Raises `JobGone`, `JobNotInState` when it has ended before, and `JobScheduled` for the next run of a schedule.
        """
        ...

    async def remove(self) -> bool:
        """Remove the job with all it has. False when it is gone already (BullMQ: job.remove).

        Raises `JobLocked` while a worker runs it, and `JobScheduled` for the next run of a schedule: nothing is changed
        then.
        """
        ...


class SyncJobHandle(Protocol[R_co]):
    """`JobHandle` for code without an event loop: the same verbs, blocking."""

    @property
    def id(self) -> str:
        """The job's id."""
        ...

    @property
    def queue(self) -> str:
        """The queue's name."""
        ...

    @property
    def created(self) -> bool | None:
        """See `JobHandle.created`."""
        ...

    def result(self, timeout: Duration | None = None) -> R_co:
        """See `JobHandle.result`."""
        ...

    def wait(self, timeout: Duration | None = None) -> Job:
        """See `JobHandle.wait`."""
        ...

    def state(self) -> JobState:
        """See `JobHandle.state`."""
        ...

    def why_waiting(self) -> Waiting:
        """See `JobHandle.why_waiting`."""
        ...

    def detach(self) -> bool:
        """See `JobHandle.detach`."""
        ...

    def cancel(self, reason: str = "", *, children: bool = False) -> bool:
        """See `JobHandle.cancel`."""
        ...

    def remove(self) -> bool:
        """See `JobHandle.remove`."""
        ...
