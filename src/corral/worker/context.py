"""What a handler sees of its run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

from corral.contracts.arguments import string
from corral.contracts.codec import JSON_CODEC
from corral.contracts.context import CancelSignal, Logger
from corral.contracts.duration import Duration
from corral.contracts.effect import KEPT
from corral.contracts.flow import FailedChild, FlowNode, Producer, ResultOf, nodes_of
from corral.contracts.handle import JobHandle
from corral.contracts.kind import JobKind, kind_of
from corral.contracts.spec import TaskSpec, untyped_spec
from corral.contracts.stored_options import StoredOptions
from corral.engine.keys import QueueKeys
from corral.engine.recover import Held
from corral.engine.report import append_log, save_data, save_progress
from corral.engine.server import Server
from corral.errors import InvalidOption, JobGone, StaleRun
from corral.logs import get_logger
from corral.worker.children import Children, Handles
from corral.worker.effects import Effects
from corral.worker.run import Run

__all__ = ["RunContext"]

R = TypeVar("R")

KEEP_LOGS: Final = 1000


class RunContext:
    """The `Context` of one run. Its writes carry the run's number: a superseded run raises `StaleRun`."""

    __slots__ = (
        "_children", "_client", "_effects", "_keep_logs", "_keys", "_run", "_server", "_task", "attempt", "attempts",
        "kind",
    )  # fmt: skip

    def __init__(
        self,
        run: Run,
        server: Server,
        keys: QueueKeys,
        client: Handles,
        *,
        task: TaskSpec[Any, Any] | None,
        attempt: int,
        attempts: int,
        options: StoredOptions,
    ) -> None:
        self._run = run
        self._task = task
        self._server = server
        self._keys = keys
        self._client = client
        self._children: Children | None = None
        self._effects: Effects | None = None
        self._keep_logs = KEEP_LOGS if options.keep_logs is None else options.keep_logs
        self.attempt = attempt
        self.attempts = attempts
        self.kind: JobKind = kind_of(run.claimed.schedule, options)
        """Where the job came from."""
        if run.cancelled is None:
            run.cancelled = asyncio.Event()

    @property
    def job_id(self) -> str:
        """The job's id."""
        return self._run.job_id

    @property
    def queue(self) -> str:
        """The queue's name."""
        return self._keys.queue

    @property
    def name(self) -> str:
        """The task's name."""
        return self._run.name

    @property
    def timestamp(self) -> datetime | None:
        """When the job was enqueued."""
        return self._run.timestamp

    @property
    def cancelled(self) -> CancelSignal:
        """Set when the handler should stop: job cancelled, timeout, lost lock, or shutdown after the grace time."""
        assert self._run.cancelled is not None
        return self._run.cancelled

    @property
    def logger(self) -> Logger:
        """A logger whose lines carry the job's fields."""
        logger: Logger = get_logger(f"jobs:{self.queue}")
        return logger

    @property
    def client(self) -> Producer:
        """To enqueue other jobs, on the worker's connection."""
        return self._client

    async def progress(self, value: Any) -> None:
        """Store how far the job is (any JSON value) and announce it. Raises `StaleRun`, `JobGone`, `InvalidPayload`."""
        text = JSON_CODEC.encode(value)
        self._check(
            await self._server.patiently(lambda: save_progress(self._server, self._keys, self._held(), text))
        )

    async def log(self, text: str) -> None:
        """Add a line to the job's own log; the newest 1,000 are kept. Raises `StaleRun`, `JobGone`.

        When the reply is lost the line is sent again, and may stand there twice.
        """
        string("text", text)
        self._check(
            await self._server.patiently(
                lambda: append_log(self._server, self._keys, self._held(), text, keep=self._keep_logs)
            )
        )

    async def set_data(self, payload: Any) -> None:
        """Replace the job's payload, for its next run. Raises what is wrong with it, `StaleRun`, `JobGone`."""
        data = (self._task or untyped_spec(self.queue, self.name)).encoded(payload)
        self._check(
            await self._server.patiently(lambda: save_data(self._server, self._keys, self._held(), data))
        )

    async def once(self, key: str, effect: Callable[[], Awaitable[R]], *, keep: Duration = KEPT) -> R:
        """What the effect of this key gave: it happens in one run, and is remembered by all later ones."""
        if self._effects is None:
            self._effects = Effects(self._server, self._keys, self._held(), self.job_id)
        return await self._effects.once(key, effect, keep)

    async def children(self, task: ResultOf[R], /) -> list[R]:
        """What the completed children of one task returned, in the order in which they were added."""
        if not hasattr(task, "spec"):
            raise InvalidOption("task", task, "give the task whose results these are: EmailTasks.send_invite")
        return await self._family().results(task)

    async def child(self, task: ResultOf[R], /) -> R:
        """What the one completed child of a task returned. Raises `LookupError` when there is not exactly one."""
        found = await self.children(task)
        if len(found) != 1:
            raise LookupError(f"job {self.job_id} has {len(found)} completed children of {task!r}, not one")
        return found[0]

    async def failed_children(self) -> list[FailedChild]:
        """The children that failed and were tolerated."""
        return await self._family().failures()

    async def add_children(self, nodes: Sequence[FlowNode[R]], /) -> list[JobHandle[R]]:
        """Add children to this job, none twice."""
        return await self._family().add(nodes_of(nodes))

    async def run_children(self, nodes: Sequence[FlowNode[R]], /) -> list[R]:
        """What these children returned; raises `WaitForChildren` as long as some have not ended."""
        return await self._family().run_all(nodes_of(nodes))

    def _family(self) -> Children:
        if self._children is None:
            self._children = Children(self._server, self._keys, self._held(), self._client)
        return self._children

    def _held(self) -> Held:
        return Held(self._run.claimed.wire_id, self._run.token, self._run.claimed.fence)

    def _check(self, code: int) -> None:
        if code == -1:
            raise JobGone(self.job_id)
        if code < 0:
            raise StaleRun(self.job_id)
