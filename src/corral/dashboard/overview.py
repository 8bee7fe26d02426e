"""The first page: every queue at a glance, and loudly what is wrong."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from corral.contracts.states import JobState
from corral.dashboard.pages import Pages, number_in
from corral.engine.browse import Metrics
from corral.http.desk import Desk

__all__ = ["Overview"]

QUEUES_A_PAGE: Final = 50
MINUTES: Final = 60
READY: Final = (JobState.WAITING, JobState.PRIORITIZED)


@dataclass(frozen=True, slots=True)
class QueueGlance:
    """One queue in the list."""

    name: str
    counts: dict[JobState, int]
    paused: bool
    workers: int
    completed: list[int]
    failed: list[int]

    @property
    def ready(self) -> int:
        """How many jobs could run now."""
        return sum(self.counts[state] for state in READY)

    @property
    def is_unserved(self) -> bool:
        """Whether jobs wait and nobody takes them."""
        return self.ready > 0 and not self.workers and not self.paused

    @property
    def a_minute(self) -> float:
        """How many jobs ended in a minute, over the last five."""
        return (sum(self.completed[-5:]) + sum(self.failed[-5:])) / 5


class Overview:
    """Lists queues by name, a page at a time; each costs a handful of commands, whatever is in it."""

    def __init__(self, desk: Desk, pages: Pages) -> None:
        self._desk = desk
        self._pages = pages

    async def show(self, request: Request) -> Response:
        """The page."""
        wanted = request.query_params.get("q", "")[:200]
        names = [name for name in await self._desk.queue_names.read() if wanted.lower() in name.lower()]
        start = number_in(request, "start", 0)
        shown = names[start : start + QUEUES_A_PAGE]
        queues = await asyncio.gather(*map(self._glance, shown))
        return self._pages.answer(
            request,
            "overview.html",
            queues=queues,
            wanted=wanted,
            start=start,
            total=len(names),
            following=start + QUEUES_A_PAGE if start + QUEUES_A_PAGE < len(names) else None,
            unserved=[queue for queue in queues if queue.is_unserved],
            paused=[queue for queue in queues if queue.paused],
            sums={
                state: sum(queue.counts[state] for queue in queues)
                for state in (*READY, JobState.ACTIVE, JobState.DELAYED, JobState.FAILED)
            },
            a_minute=sum(queue.a_minute for queue in queues),
        )

    async def _glance(self, name: str) -> QueueGlance:
        queue = self._desk.admin.queue(name)
        counts, paused, workers, completed, failed = await asyncio.gather(
            queue.counts(),
            queue.paused(),
            queue.workers(),
            queue.metrics(JobState.COMPLETED, limit=MINUTES),
            queue.metrics(JobState.FAILED, limit=MINUTES),
        )
        return QueueGlance(name, counts, paused, len(workers), minutes_of(completed), minutes_of(failed))


def minutes_of(metrics: Metrics) -> list[int]:
    """The last hour, the oldest minute first, with what there is."""
    return list(reversed([*metrics.minutes[:MINUTES], *[0] * (MINUTES - len(metrics.minutes))]))
