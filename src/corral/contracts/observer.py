"""What a worker shows to those that measure it: each run that was settled, and how busy it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

__all__ = ["COMPLETED", "RETRIED", "Observable", "Observer", "QueueLoad", "SettledRun"]

COMPLETED = "completed"
RETRIED = "retried"


class SettledRun(NamedTuple):
    """A run whose outcome the server has stored."""

    queue: str
    task: str
    """As the job says: it may be the name of no task of the worker."""
    outcome: str
    """`completed`, `retried`, or the `FailureKind` of a job that failed for good."""
    seconds: float
    """From the claim to the end of the handler."""
    waited: float | None
    """Seconds from being due to the claim, by the clocks of producer and worker. None of any run but the first."""


class QueueLoad(NamedTuple):
    """How busy a worker is with one of its queues."""

    jobs_in_hand: int
    slots: int
    since_answer: float | None
    """Seconds since the server last answered to a claim or settlement; None before it ever did."""


class Observer(Protocol):
    """Is told of each settled run, in the worker's loop and at once: it must be quick."""

    def settled(self, run: SettledRun, /) -> None:
        """A run has been settled. Runs that were put off or given up are none of these."""
        ...

    def stalled(self, queue: str, /) -> None:
        """The worker has found a job that another worker lost."""
        ...


class Observable(Protocol):
    """A worker, as those see it that measure it. Any thread may ask."""

    @property
    def tasks(self) -> Mapping[str, frozenset[str]]:
        """The names of its tasks, by queue."""
        ...

    @property
    def load(self) -> Mapping[str, QueueLoad]:
        """How busy it is, by queue; empty while it does not run."""
        ...

    @property
    def is_ready(self) -> bool:
        """Whether it takes jobs, and they get on."""
        ...

    def observe(self, observer: Observer, /) -> None:
        """Tell somebody of what is settled from now on."""
        ...
