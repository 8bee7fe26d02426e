"""What a handler sees of its run."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from corral.contracts.codec import JSON_CODEC
from corral.contracts.context import CancelSignal, JobKind, Logger
from corral.contracts.flow import Producer
from corral.engine.keys import QueueKeys
from corral.engine.recover import Held
from corral.engine.report import append_log, save_progress
from corral.engine.server import Server
from corral.errors import JobGone, StaleRun
from corral.logs import get_logger
from corral.worker.run import Run

__all__ = ["RunContext"]

KEEP_LOGS: Final = 1000


class RunContext:
    """The `Context` of one run. Its writes carry the run's number: a superseded run raises `StaleRun`."""

    __slots__ = ("_client", "_keep_logs", "_keys", "_run", "_server", "attempt", "attempts")

    def __init__(
        self,
        run: Run,
        server: Server,
        keys: QueueKeys,
        client: Producer,
        *,
        attempt: int,
        attempts: int,
        keep_logs: int | None,
    ) -> None:
        self._run = run
        self._server = server
        self._keys = keys
        self._client = client
        self._keep_logs = KEEP_LOGS if keep_logs is None else keep_logs
        self.attempt = attempt
        self.attempts = attempts
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
    def kind(self) -> JobKind:
        """Where the job came from."""
        return "cron" if self._run.claimed.schedule else "adhoc"

    @property
    def cancelled(self) -> CancelSignal:
        """Set when the handler should stop: timeout, lost lock, or shutdown after the grace time."""
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
        self._check(
            await self._server.patiently(
                lambda: append_log(self._server, self._keys, self._held(), text, keep=self._keep_logs)
            )
        )

    def _held(self) -> Held:
        return Held(self._run.claimed.wire_id, self._run.token, self._run.claimed.starts)

    def _check(self, code: int) -> None:
        if code == -1:
            raise JobGone(self.job_id)
        if code < 0:
            raise StaleRun(self.job_id)
