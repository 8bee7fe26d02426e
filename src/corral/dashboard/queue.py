"""The page of a queue: its jobs by state, its pace, and what can be done to it."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from corral.admin.lookback import Lookback
from corral.contracts.states import JobState
from corral.dashboard.history import History
from corral.dashboard.job_search import find_jobs
from corral.dashboard.pages import Pages, number_in, see, segment
from corral.dashboard.span import SPANS, span_of, zone_of
from corral.http.desk import Desk
from corral.http.event_stream import EventStream

__all__ = ["STATES", "QueuePage"]

JOBS_A_PAGE: Final = 50
STATES: Final = (
    JobState.WAITING,
    JobState.ACTIVE,
    JobState.PRIORITIZED,
    JobState.DELAYED,
    JobState.WAITING_CHILDREN,
    JobState.COMPLETED,
    JobState.FAILED,
)


class QueuePage:
    """One state of one queue, a page at a time."""

    def __init__(self, desk: Desk, pages: Pages) -> None:
        self._desk = desk
        self._pages = pages
        self._lookback = Lookback(desk.admin.server)

    async def show(self, request: Request) -> Response:
        """The page. An id in the search field leads to that job."""
        name, text = segment(request, "queue"), request.query_params.get("q", "").strip()[:500]
        queue = await self._desk.queue(name)
        if text and request.query_params.get("find") == "id":
            return see(request, "queues", name, "jobs", text)
        counts = await queue.counts()
        state = _state(request.query_params.get("state"), counts)
        start = number_in(request, "start", 0)
        span = span_of(request)
        settings, workers, found, held, (past,) = await asyncio.gather(
            queue.settings(),
            queue.workers(),
            find_jobs(queue, self._desk.redactor, state, text, start, JOBS_A_PAGE),
            queue.held_for(),
            self._lookback.read([name], minutes=span.minutes, step=span.step),
        )
        return self._pages.answer(
            request,
            "queue.html",
            queue=name,
            counts=counts,
            states=STATES,
            state=state,
            found=found,
            text=text,
            start=start,
            before=max(0, start - JOBS_A_PAGE) if start and not text else None,
            settings=settings,
            workers=workers,
            held=held,
            span=span,
            spans=SPANS,
            history=History(past, span, zone_of(request), detailed=True),
            ready=counts[JobState.WAITING] + counts[JobState.PRIORITIZED],
            outcome=request.query_params.get("outcome", ""),
            number=number_in(request, "number", 0),
        )

    async def events(self, request: Request) -> Response:
        """What happens in the queue, as it happens: all pages that show it share one reader."""
        name = segment(request, "queue")
        await self._desk.queue(name)
        return EventStream(self._desk, name, request.headers.get("last-event-id"))


def _state(asked: str | None, counts: dict[JobState, int]) -> JobState:
    """The state that was asked for, else the first of those that people come for that has jobs."""
    if asked in STATES:
        return JobState(asked)
    liveliest = (JobState.ACTIVE, JobState.WAITING, JobState.FAILED, JobState.DELAYED, JobState.COMPLETED)
    return next((state for state in liveliest if counts[state]), JobState.WAITING)
