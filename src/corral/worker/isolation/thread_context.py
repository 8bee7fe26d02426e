"""The context of a handler that runs in a thread: the same names, blocking."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from datetime import datetime
from typing import Any, TypeVar

from corral.contracts.context import CancelSignal, Context, JobKind, Logger
from corral.contracts.duration import Duration
from corral.contracts.effect import KEPT
from corral.contracts.flow import FailedChild, FlowNode, ResultOf

R = TypeVar("R")


class ThreadContext:
    """What an `InThread` handler gets as its second argument.

    `progress` and `log` block until the server has stored what they say; the calls run on the worker's loop.
    """

    def __init__(self, context: Context, loop: asyncio.AbstractEventLoop) -> None:
        self._context = context
        self._loop = loop
        self.job_id: str = context.job_id
        self.queue: str = context.queue
        self.name: str = context.name
        self.attempt: int = context.attempt
        self.attempts: int = context.attempts
        self.kind: JobKind = context.kind
        self.timestamp: datetime | None = context.timestamp
        self.cancelled = ThreadCancelSignal(context.cancelled, loop)
        self.logger: Logger = context.logger

    def progress(self, value: Any) -> None:
        """Store and announce how far the job is: any JSON value. Raises `StaleRun` if this run was superseded."""
        self._wait(self._context.progress(value))

    def log(self, text: str) -> None:
        """Add a line to the job's own log. Raises `StaleRun` like `progress`."""
        self._wait(self._context.log(text))

    def set_data(self, payload: Any) -> None:
        """Replace the job's payload, for its next run. Raises `StaleRun` like `progress`."""
        self._wait(self._context.set_data(payload))

    def once(self, key: str, effect: Callable[[], R], *, keep: Duration = KEPT) -> R:
        """What the effect of this key gave. It runs here, in the handler's thread, between two calls on the loop."""
        entered: Future[bool] = Future()
        given: Future[R] = Future()

        @functools.wraps(effect)
        async def inside() -> R:
            entered.set_result(True)
            return await asyncio.wrap_future(given)

        call = asyncio.run_coroutine_threadsafe(self._context.once(key, inside, keep=keep), self._loop)
        call.add_done_callback(lambda _: None if entered.done() else entered.set_result(False))
        if entered.result():
            try:
                given.set_result(effect())
            except BaseException as error:  # noqa: BLE001 - it goes through the call, and comes out of it below
                given.set_exception(error)
        return call.result()

    def children(self, task: ResultOf[R], /) -> list[R]:
        """What the completed children of one task returned, in the order in which they were added."""
        return self._wait(self._context.children(task))

    def child(self, task: ResultOf[R], /) -> R:
        """What the one completed child of a task returned. Raises `LookupError` when there is not exactly one."""
        return self._wait(self._context.child(task))

    def failed_children(self) -> list[FailedChild]:
        """The children that failed and were tolerated."""
        return self._wait(self._context.failed_children())

    def add_children(self, nodes: Sequence[FlowNode[R]], /) -> list[str]:
        """Add children to this job, none twice; their ids."""
        return [job.id for job in self._wait(self._context.add_children(nodes))]

    def run_children(self, nodes: Sequence[FlowNode[R]], /) -> list[R]:
        """What these children returned; raises `WaitForChildren` as long as some have not ended."""
        return self._wait(self._context.run_children(nodes))

    def _wait(self, call: Coroutine[Any, Any, R]) -> R:
        return asyncio.run_coroutine_threadsafe(call, self._loop).result()


class ThreadCancelSignal:
    """Set when the handler should stop; asked or waited for from its thread."""

    def __init__(self, signal: CancelSignal, loop: asyncio.AbstractEventLoop) -> None:
        self._signal = signal
        self._loop = loop

    def is_set(self) -> bool:
        """Whether it is time to stop."""
        return self._signal.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Block until it is time to stop, at most `timeout` seconds. Returns whether it is."""
        waiting = asyncio.run_coroutine_threadsafe(self._signal.wait(), self._loop)
        try:
            waiting.result(timeout)
        except TimeoutError:
            waiting.cancel()
        return self._signal.is_set()
