"""One run of one job, as the worker's parts pass it along."""

from __future__ import annotations

import asyncio
import math
import time
from datetime import datetime
from enum import StrEnum

from corral.contracts.duration import instant
from corral.contracts.job import Job
from corral.contracts.names import decode_job_id
from corral.contracts.states import JobState
from corral.engine.record import Claimed

__all__ = ["Cause", "Run"]


class Cause(StrEnum):
    """Why the worker itself interrupts a run."""

    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    LOST = "lost"
    SHUTDOWN = "shutdown"


class Run:
    """A claimed job from its claim until its outcome is stored.

    `token` and `claimed.fence` prove to the scripts that this run may still write. `cause` is set before the worker
    cancels `task`, so that the outcome knows why; `ended` once, by whoever ends the run first. `begun` is set when the
    task takes its first step: cancelled before that, it would never take any, and nobody would end the run. `made`
    counts the attempts that ended before, None when that cannot be read; `since` is when it was claimed,
    `seconds` how long it took until it ended, `reason` why its job was cancelled.
    """

    __slots__ = (
        "begun",
        "cancelled",
        "cause",
        "claimed",
        "deadline",
        "ended",
        "error",
        "job_id",
        "made",
        "name",
        "reason",
        "seconds",
        "since",
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
        self.since = time.monotonic()
        self.seconds = 0.0
        self.begun = False
        self.reason = ""
        self.deadline = math.inf
        self.ended = False
        self.error: BaseException | None = None
        self.name = (claimed.name or b"").decode("utf-8", "replace")
        self.job_id = decode_job_id(claimed.wire_id.decode("utf-8", "surrogateescape"))
        self.made = _number(claimed.made)

    def interrupt(self, cause: Cause) -> None:
        """Cancel the handler, once, and say so to its context."""
        if self.cause is None and not self.ended:
            self.cause = cause
            if self.cancelled is not None:
                self.cancelled.set()
            if self.task is not None and self.begun:
                self.task.cancel()

    @property
    def timestamp(self) -> datetime | None:
        """When its job was enqueued, None where that cannot be read."""
        try:
            return instant(int(self.claimed.timestamp or b""))
        except (ValueError, OverflowError):
            return None

    def snapshot(self, queue: str) -> Job:
        """The job, as it was claimed."""
        claimed = self.claimed
        fields = {
            "name": claimed.name, "data": claimed.data, "opts": claimed.opts, "ats": b"%d" % claimed.starts,
            "atm": claimed.made, "timestamp": claimed.timestamp, "delay": claimed.delay,
            "priority": claimed.priority, "stc": claimed.stalls, "rjk": claimed.schedule,
            "parentKey": claimed.parent_key, "deid": claimed.deduplication,
        }  # fmt: skip
        present = {name: value for name, value in fields.items() if value is not None}
        wire_id = claimed.wire_id.decode("utf-8", "surrogateescape")
        return Job.from_fields(queue, wire_id, present, state=JobState.ACTIVE)


def _number(text: bytes | None) -> int | None:
    try:
        return int(text or 0)
    except ValueError:
        return None
