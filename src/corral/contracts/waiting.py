"""What a job waits for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from corral.contracts.states import JobState

__all__ = ["PendingChild", "WaitKind", "Waiting"]

WaitKind = Literal[
    "children", "turn", "due", "paused", "rate-limit", "concurrency", "line", "running", "ended", "unknown"
]
"""What keeps a job from running: children that have not ended, the job that holds its singleton key, its time, its
queue being paused, a rate limit, the most jobs that its queue may run at a time, or jobs that run before it. Three say
that nothing does."""


@dataclass(frozen=True, slots=True)
class PendingChild:
    """A child that has not ended as its parent needs it."""

    job_id: str
    queue: str
    state: JobState

    def __str__(self) -> str:
        says = {
            JobState.FAILED: "has failed, and nobody has retried or removed it",
            JobState.UNKNOWN: "does not exist any more",
        }.get(self.state, f"is {self.state}")
        return f"job {self.job_id} in queue {self.queue!r} {says}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Why a job does not run yet. `str()` of it is a sentence."""

    kind: WaitKind
    state: JobState
    children: tuple[PendingChild, ...] = ()
    """Some of the children that it waits for: those first that will not end by themselves."""
    children_left: int = 0
    """How many children it waits for."""
    until: datetime | None = None
    """When it is due, or when the rate limit ends. UTC."""
    ahead: int | None = None
    """How many jobs run before it, or were set aside before it; None when it is not among the next thousand."""
    active: int = 0
    """How many jobs its queue runs."""
    holder: str | None = None
    """The job that holds its singleton key; None when it does not wait for its turn."""
    singleton: str | None = None
    """The key."""

    def __str__(self) -> str:
        if self.kind == "children":
            return self._about_children()
        until = "" if self.until is None else self.until.isoformat(timespec="milliseconds")
        return {
            "turn": f"it waits for its turn{self._about_turns()}: job {self.holder} holds {self.singleton!r}",
            "due": f"it is delayed until {until}",
            "paused": "its queue is paused",
            "rate-limit": f"its queue starts no job before {until}: a rate limit",
            "concurrency": f"its queue runs {self.active} jobs, and may run no more at a time",
            "line": self._about_line(),
            "running": "it waits for nothing: it runs",
            "ended": f"it waits for nothing: it is {self.state}",
            "unknown": "there is no such job",
        }[self.kind]

    def _about_children(self) -> str:
        if not self.children:
            return "it waits for children, and has none: remove it, or add some"
        others = self.children_left - 1
        more = "" if others < 1 else " (and one more)" if others == 1 else f" (and {others} more)"
        return f"it waits for its children{more}: {self.children[0]}"

    def _about_turns(self) -> str:
        return "" if not self.ahead else f", behind {self.ahead:,} other{'s' if self.ahead > 1 else ''}"

    def _about_line(self) -> str:
        if self.ahead is None:
            return "more than 1,000 jobs run before it"
        if self.ahead == 0:
            return "it runs next, as soon as a worker has room"
        return "one job runs before it" if self.ahead == 1 else f"{self.ahead:,} jobs run before it"
