"""What an operator sees of a worker, and the beats that it is made of: pure values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Annotated, Final

from pydantic import Field, TypeAdapter, ValidationError

__all__ = ["Beat", "JobInHand", "WorkerRecord", "WorkerState"]

MOST_JOBS: Final = 100
"""How many jobs a beat names; the others are counted."""

LONGEST_NAME: Final = 200
LONGEST_ID: Final = 1000


Seconds = Annotated[float, Field(ge=0, le=1e10)]
"""At most some three hundred years, which any date can go back."""


class WorkerState(StrEnum):
    """What a worker is up to, as far as can be seen."""

    RUNNING = "running"
    DRAINING = "draining"
    """An operator has told it to claim nothing more; it finishes what it has, and waits to be told to resume."""
    STOPPING = "stopping"
    SILENT = "silent"
    """No beat for 30 seconds: its process is gone, its event loop is blocked, or it does not reach the server."""


@dataclass(frozen=True, slots=True)
class JobInHand:
    """A job that a worker runs."""

    queue: str
    id: str
    name: str
    since: datetime


@dataclass(frozen=True, slots=True)
class WorkerRecord:
    """One worker process, Corral's or another BullMQ client's.

    Of a Node worker only what its connections show is known: name, queues, address, `started` and `last_fetch`. Times
    are the server's. `concurrency`, `jobs`, `jobs_in_hand` and `last_fetch` are about the queues that were asked for.
    """

    name: str
    """What it calls itself: for Corral host and process id unless told otherwise; empty for a Node worker without."""
    state: WorkerState
    queues: tuple[str, ...]
    """All that it serves."""
    address: str = ""
    """Where it connects from: `host:port`, or the path of a unix socket. Empty where that cannot be seen."""
    started: datetime | None = None
    last_fetch: datetime | None = None
    """When the server last answered to a claim or settlement of it; of several queues, that of the one that is worst
    off. None before the first answer."""
    beat: datetime | None = None
    """When it last wrote its record. None: it writes none."""
    instance: str | None = None
    """Tells workers of one name apart, also one from another that had its name before."""
    host: str | None = None
    pid: int | None = None
    version: str | None = None
    """Corral's."""
    python: str | None = None
    concurrency: Mapping[str, int] = field(default_factory=dict)
    """How many jobs it may run at once, by queue."""
    jobs_in_hand: int = 0
    jobs: tuple[JobInHand, ...] = ()
    """Those that it runs, the oldest first; at most 100 of a queue."""
    starved: timedelta = timedelta(0)
    """For how long it had had free slots and no answer to a claim, at its last beat."""
    loop_lag_ms: float | None = None
    """How long its event loop kept something waiting since the beat before this one, at worst."""
    memory: int | None = None
    """Bytes that its process has in use."""
    troubles: tuple[str, ...] = ()
    """Why it is not healthy, in its own words. Empty when it is."""

    @property
    def ours(self) -> bool:
        """Whether it is a Corral worker, which writes a record and takes orders."""
        return self.beat is not None

    @property
    def draining(self) -> bool:
        """Whether an operator has told it to claim nothing more."""
        return self.state is WorkerState.DRAINING


@dataclass(frozen=True, slots=True)
class Beat:
    """What a worker process writes of itself every few seconds, for one of its queues.

    It holds no time of day: `up`, `fetched`, `starved` and the last part of each job are seconds before the beat, whose
    time is the server's, so that a wrong clock of the worker shows nothing wrong.
    """

    name: str
    state: WorkerState
    queues: tuple[str, ...]
    host: str
    pid: int
    version: str
    python: str
    up: Seconds
    concurrency: int
    running: int
    jobs: tuple[tuple[str, str, Seconds], ...]
    """Id, name, seconds that it runs."""
    fetched: Seconds | None
    starved: Seconds
    lag_ms: float
    memory: int
    troubles: tuple[str, ...] = ()

    def text(self) -> bytes:
        """As JSON."""
        return _adapter().dump_json(self)

    @classmethod
    def read(cls, text: bytes) -> Beat | None:
        """From JSON; None for what is none, as another version may write."""
        try:
            return _adapter().validate_json(text)
        except ValidationError:
            return None


@cache
def _adapter() -> TypeAdapter[Beat]:
    return TypeAdapter(Beat)
