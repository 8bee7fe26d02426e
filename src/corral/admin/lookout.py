"""The lookout: all queues at a glance, for whoever looks again and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from corral.admin.admin import Admin
from corral.admin.queue_names import QueueNames
from corral.admin.sampler import oldest_waiting
from corral.admin.workers import find_workers
from corral.contracts.states import JobState
from corral.contracts.worker_record import WorkerRecord, WorkerState
from corral.engine.browse_glance import Glance, glance_at_queues
from corral.engine.faults import ResponseError
from corral.errors import ServerRefused

__all__ = ["Lookout", "QueueGlance", "View"]

MOST_QUEUES: Final = 1000


@dataclass(frozen=True, slots=True)
class QueueGlance:
    """One queue at one moment."""

    queue: str
    counts: Mapping[JobState, int]
    is_paused: bool
    oldest_waiting: timedelta | None
    """For how long the job has been due that is next in line. None: nothing waits."""
    completed: int
    """How many have completed since the queue was made, counted by Corral's workers and by Node's with metrics."""
    failed: int
    last_failed: float
    """When the last of its failed jobs failed (ms since the epoch); 0 where there is none."""
    workers: int | None
    """How many claim its jobs: those that drain, stop or are silent do not. None where that cannot be seen."""

    @property
    def ready(self) -> int:
        """How many jobs could run now."""
        return self.counts[JobState.WAITING] + self.counts[JobState.PRIORITIZED]

    @property
    def is_unserved(self) -> bool:
        """Whether jobs wait and nobody claims any."""
        return self.ready > 0 and self.workers == 0 and not self.is_paused


@dataclass(frozen=True, slots=True)
class View:
    """All queues by name, and who works on them."""

    queues: tuple[QueueGlance, ...]
    workers: tuple[WorkerRecord, ...]
    damaged: tuple[str, ...] = ()
    """Queues that cannot be read: keys of theirs hold something else, or their names cannot be."""
    left_out: int = 0
    """How many queues there are beyond the first 1,000."""


class Lookout:
    """Looks at all queues: one call for each and one more for its workers, in a few round trips, whatever is in them.
    The names of queues are some seconds old at most, as finding them takes a look at every key that the server has.
    """

    def __init__(self, admin: Admin, names: QueueNames | None = None) -> None:
        self._admin = admin
        self._names = names or QueueNames(admin)

    async def look(self) -> View:
        """Look once. Raises `ServerUnavailable` or `ServerRefused`."""
        names = await self._names.read()
        some = names[:MOST_QUEUES]
        workers = await self._workers(some)
        found = await self._glances(some, workers)
        return View(
            queues=tuple(one for one in found if isinstance(one, QueueGlance)),
            workers=tuple(workers or ()),
            damaged=(*self._names.impossible, *(one for one in found if isinstance(one, str))),
            left_out=len(names) - len(some),
        )

    async def _glances(
        self, names: Sequence[str], workers: Sequence[WorkerRecord] | None
    ) -> list[QueueGlance | str]:
        """The queues; the name alone of one that is damaged, which must not hide the others."""
        server = self._admin.server
        keys = [server.keys(name) for name in names]
        seen = await server.patiently(lambda: glance_at_queues(server, keys))
        return [
            name if isinstance(one, ResponseError) else _shown(name, one, workers)
            for name, one in zip(names, seen, strict=True)
        ]

    async def _workers(self, queues: Sequence[str]) -> list[WorkerRecord] | None:
        """None where nobody can tell: the user may not see them, or what they say of themselves is damaged."""
        server = self._admin.server
        try:
            return await server.patiently(lambda: find_workers(server, None, known=queues))
        except (ServerRefused, ResponseError):
            return None


def _shown(name: str, seen: Glance, workers: Sequence[WorkerRecord] | None) -> QueueGlance:
    age = oldest_waiting(seen.line, seen.now)
    serving = (one for one in workers or () if name in one.queues and one.state is WorkerState.RUNNING)
    return QueueGlance(
        queue=name,
        counts=seen.counts,
        is_paused=seen.is_paused,
        oldest_waiting=None if age is None else timedelta(milliseconds=age),
        completed=seen.completed,
        failed=seen.failed,
        last_failed=seen.last_failed,
        workers=None if workers is None else sum(1 for _ in serving),
    )
