"""One run of one job, as the worker's parts pass it along."""

from __future__ import annotations

import asyncio
import math
from enum import StrEnum

from corral.engine.record import Claimed

__all__ = ["Cause", "Run"]


class Cause(StrEnum):
    """Why the worker itself interrupts a run."""

    TIMEOUT = "timeout"
    LOST = "lost"
    SHUTDOWN = "shutdown"


class Run:
    """A claimed job from its claim until its outcome is stored.

    `token` and `claimed.starts` prove to the scripts that this run may still write. `cause` is set before the worker
    cancels `task`, so that the outcome knows why; `ended` once, by whoever ends the run first.
    """

    __slots__ = (
        "cancelled",
        "cause",
        "claimed",
        "deadline",
        "ended",
        "error",
        "job_id",
        "name",
        "slot",
        "task",
        "token",
    )

    def __init__(self, claimed: Claimed, token: str) -> None:
        self.claimed = claimed
        self.token = token
        self.slot = -1
        self.task: asyncio.Task[None] | None = None
        self.cause: Cause | None = None
        self.cancelled: asyncio.Event | None = None
        self.deadline = math.inf
        self.ended = False
        self.error: BaseException | None = None
        self.name = ""
        self.job_id = ""

    def interrupt(self, cause: Cause) -> None:
        """Cancel the handler, once, and say so to its context."""
        if self.cause is None and not self.ended:
            self.cause = cause
            if self.cancelled is not None:
                self.cancelled.set()
            if self.task is not None:
                self.task.cancel()
