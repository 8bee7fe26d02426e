"""What `corral top` shows, read from the server: one frame."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from corral.admin.admin import Admin
from corral.admin.failure_group import FailureGroups
from corral.admin.lookout import Lookout, QueueGlance, View
from corral.contracts.sample import Sample
from corral.contracts.states import JobState
from corral.engine.faults import ResponseError

__all__ = ["Frame", "Rate", "Reader"]

MOST_GROUPS: Final = 5
MOST_SAMPLED: Final = 50
SAMPLED: Final = timedelta(minutes=3)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rate:
    """Jobs that end in a second."""

    completed: float
    failed: float


@dataclass(frozen=True, slots=True)
class Frame:
    """Everything at one moment."""

    at: datetime
    view: View
    rates: Mapping[str, Rate] = field(default_factory=dict)
    """By queue; of those that were seen twice, or sampled."""
    samples: Mapping[str, Sample] = field(default_factory=dict)
    """The latest of each queue that has one."""
    chosen: str = ""
    """The queue whose failures these are."""
    groups: FailureGroups | None = None
    """None also where they cannot be read."""

    @property
    def queues(self) -> Sequence[QueueGlance]:
        """All queues, those that need somebody first, then those with work, then by name."""
        return sorted(
            self.view.queues,
            key=lambda one: (not one.is_unserved, not (one.ready or one.counts[JobState.ACTIVE]), one.queue),
        )


class Reader:
    """Reads frames, and remembers the last one for the rates."""

    def __init__(self, admin: Admin) -> None:
        self._admin = admin
        self._lookout = Lookout(admin)
        self._before: dict[str, QueueGlance] = {}
        self._read_at = 0.0

    async def read(self, chosen: str = "") -> Frame:
        """Look at everything, and at the failures of the chosen queue; else of the first one. Raises `ServerError`."""
        view = await self._lookout.look()
        now = time.monotonic()
        frame = Frame(datetime.now(UTC), view)
        samples = await self._samples([one.queue for one in frame.queues[:MOST_SAMPLED]])
        rates = {
            one.queue: self._rate(one, now - self._read_at, samples.get(one.queue)) for one in view.queues
        }
        self._before, self._read_at = {one.queue: one for one in view.queues}, now
        names = [one.queue for one in frame.queues]
        named = chosen if chosen in names else next(iter(names), "")
        groups = (
            await _if_sound(self._admin.queue(named).failures.groups(limit=MOST_GROUPS)) if named else None
        )
        known = {queue: rate for queue, rate in rates.items() if rate is not None}
        return Frame(frame.at, view, known, samples, named, groups)

    def _rate(self, glance: QueueGlance, seconds: float, sample: Sample | None) -> Rate | None:
        before = self._before.get(glance.queue)
        if before is not None and seconds > 0:
            completed, failed = glance.completed - before.completed, glance.failed - before.failed
            return Rate(max(0, completed) / seconds, max(0, failed) / seconds)
        return None if sample is None else Rate(sample.completed / 60, sample.failed / 60)

    async def _samples(self, names: Sequence[str]) -> dict[str, Sample]:
        since = datetime.now(UTC) - SAMPLED
        found = await asyncio.gather(*(_if_sound(self._admin.queue(name).samples(since)) for name in names))
        return {name: samples[-1] for name, samples in zip(names, found, strict=True) if samples}


async def _if_sound(reading: Awaitable[T]) -> T | None:
    """None where a key of Corral's own holds something else: what is read from it is no reason to show nothing."""
    try:
        return await reading
    except ResponseError:
        return None
