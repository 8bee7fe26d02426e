"""What a handler may ask of the run it is in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from corral.contracts.duration import Duration
from corral.contracts.effect import KEPT
from corral.contracts.flow import FailedChild, FlowNode, Producer, ResultOf
from corral.contracts.handle import JobHandle
from corral.contracts.kind import JobKind

__all__ = [
    "BlockingCancelSignal",
    "BlockingContext",
    "CancelSignal",
    "Context",
    "JobKind",
    "Logger",
    "RunFacts",
]

R = TypeVar("R")


class Logger(Protocol):
    """A structlog logger: an event and its fields."""

    def debug(self, event: str, /, **fields: Any) -> Any:
        """Log for developers."""
        ...

    def info(self, event: str, /, **fields: Any) -> Any:
        """Log what happens as it should."""
        ...

    def warning(self, event: str, /, **fields: Any) -> Any:
        """Log what should be looked at."""
        ...

    def error(self, event: str, /, **fields: Any) -> Any:
        """Log what went wrong."""
        ...

    def exception(self, event: str, /, **fields: Any) -> Any:
        """Log what went wrong, with the traceback of the exception being handled."""
        ...


class CancelSignal(Protocol):
    """Set when the job is to stop: cancelled, or the worker is closing."""

    def is_set(self) -> bool:
        """Whether it is time to stop. Cheap, and callable from any thread."""
        ...

    def wait(self) -> Coroutine[Any, Any, Any]:
        """Return when it is time to stop."""
        ...


class BlockingCancelSignal(Protocol):
    """`CancelSignal` for a thread."""

    def is_set(self) -> bool:
        """Whether it is time to stop."""
        ...

    def wait(self, timeout: float | None = None) -> bool:
        """Block until it is time to stop, at most ``timeout`` seconds. Returns whether it is."""
        ...


class RunFacts(Protocol):
    """What every handler that takes a context may know of its run."""

    @property
    def job_id(self) -> str:
        """The job's id."""
        ...

    @property
    def queue(self) -> str:
        """The queue's name."""
        ...

    @property
    def name(self) -> str:
        """The task's name."""
        ...

    @property
    def attempt(self) -> int:
        """Which attempt this is, from 1."""
        ...

    @property
    def attempts(self) -> int:
        """How many are allowed."""
        ...

    @property
    def kind(self) -> JobKind:
        """Where the job came from."""
        ...

    @property
    def timestamp(self) -> datetime | None:
        """When the job was enqueued, in UTC: the same in all of its runs, and another one for a job that has its id
        after it. None where another program left no time."""
        ...

    @property
    def logger(self) -> Logger:
        """A logger whose lines carry the job's fields."""
        ...


class Context(RunFacts, Protocol):
    """The second argument of an ``async def`` handler that takes one."""

    @property
    def cancelled(self) -> CancelSignal:
        """Set when the handler should stop."""
        ...

    @property
    def client(self) -> Producer:
        """To enqueue other jobs, on the worker's connection."""
        ...

    async def progress(self, value: Any) -> None:
        """Store and announce how far the job is: any JSON value. Raises `StaleRun` if this run was superseded."""
        ...

    async def log(self, text: str) -> None:
        """Add a line to the job's own log, which is kept with it. Raises `StaleRun` like `progress`."""
        ...

    async def set_data(self, payload: Any) -> None:
        """Replace the job's payload: its next run gets this one, if there is one, for whatever reason: a retry, a
        `Snooze`, `WaitForChildren`, a crash (BullMQ: ``updateData``). This run keeps the payload that it was given.

        Raises `InvalidPayload` or `PayloadTooLarge` when it is not the task's, and `StaleRun` like `progress`.
        """
        ...

    async def once(self, key: str, effect: Callable[[], Awaitable[R]], *, keep: Duration = KEPT) -> R:
        """What the effect of this ``key`` gave: it happens in one run, of whatever job of the queue, and all later ones
        are given its result, for the time ``keep`` (seconds or a `timedelta`; a day).

        ``effect`` takes nothing and returns plain JSON, or what its return annotation says. What is returned is read
        back from what was kept, in the first run, too. While another run is inside, `EffectUnderWay` puts this job off
        by a second, no attempt spent; one that died inside is replaced when its lock has ended. An effect that raises
        has not happened. Where the worker or the server dies between the effect and the keeping of its result, it
        happens again: hand ``key`` on to services that take an idempotency key.

        Raises `InvalidOption`, `StaleRun` like `progress`, and `Unrecoverable` for a result that is no JSON or longer
        than 64 KiB.
        """
        ...

    async def children(self, task: ResultOf[R], /) -> list[R]:
        """What the completed children of one task returned, in the order in which they were added. Raises
        `InvalidResult` for one that is not what the task declares.

        Children of another program's are in no order; of one that is not kept any more only its queue is known, and
        it counts for any task of that queue.
        """
        ...

    async def child(self, task: ResultOf[R], /) -> R:
        """What the one completed child of a task returned: of the step before, in a chain. Raises `LookupError` when
        there is none, or more than one."""
        ...

    async def failed_children(self) -> list[FailedChild]:
        """The children that failed and were tolerated: see ``on_failure``."""
        ...

    async def add_children(self, nodes: Sequence[FlowNode[R]], /) -> list[JobHandle[R]]:
        """Add children to this job while it runs, any number; then ``raise WaitForChildren``, and the handler runs
        again when they have ended.

        A child without an id of its own has one that follows from this job, its task and its payload: a handler that
        runs again and adds the same children adds none twice. Raises `InvalidFlow`, `StaleRun`, `QueueFull`.
        """
        ...

    async def run_children(self, nodes: Sequence[FlowNode[R]], /) -> list[R]:
        """What these children returned, in their order; adds those that are not there yet, and raises
        `WaitForChildren` as long as some have not ended: the handler then runs again from its beginning.

        So what stands before this call happens more than once, and what stands behind it when all have completed.
        Raises `JobFailed` for a child that failed and was tolerated, and what `add_children` raises.
        """
        ...


class BlockingContext(RunFacts, Protocol):
    """The second argument of an `InThread` handler that takes one: the same names, blocking."""

    @property
    def cancelled(self) -> BlockingCancelSignal:
        """Set when the handler should stop: a thread cannot be stopped from outside."""
        ...

    def progress(self, value: Any) -> None:
        """Store and announce how far the job is: any JSON value. Raises `StaleRun` if this run was superseded."""
        ...

    def log(self, text: str) -> None:
        """Add a line to the job's own log, which is kept with it. Raises `StaleRun` like `progress`."""
        ...

    def set_data(self, payload: Any) -> None:
        """See `Context.set_data`."""
        ...

    def once(self, key: str, effect: Callable[[], R], *, keep: Duration = KEPT) -> R:
        """See `Context.once`: the effect runs in the handler's thread."""
        ...

    def children(self, task: ResultOf[R], /) -> list[R]:
        """See `Context.children`."""
        ...

    def child(self, task: ResultOf[R], /) -> R:
        """See `Context.child`."""
        ...

    def failed_children(self) -> list[FailedChild]:
        """See `Context.failed_children`."""
        ...

    def add_children(self, nodes: Sequence[FlowNode[R]], /) -> list[str]:
        """See `Context.add_children`. Gives the children's ids."""
        ...

    def run_children(self, nodes: Sequence[FlowNode[R]], /) -> list[R]:
        """See `Context.run_children`."""
        ...
