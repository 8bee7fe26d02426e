"""The first page: what is wrong, what fails, how it went, and every queue at a glance."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from corral.admin.lookback import Lookback, Past, sum_of
from corral.admin.lookout import Lookout, QueueGlance
from corral.contracts.states import JobState
from corral.dashboard.failing import failing
from corral.dashboard.failures import KINDS
from corral.dashboard.history import History
from corral.dashboard.pages import Pages, number_in
from corral.dashboard.span import SPANS, Span, span_of, zone_of
from corral.http.desk import Desk

__all__ = ["Overview"]

QUEUES_A_PAGE: Final = 50
COUNTED: Final = (
    JobState.WAITING,
    JobState.PRIORITIZED,
    JobState.ACTIVE,
    JobState.DELAYED,
    JobState.FAILED,
)


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One queue in the list, and its past."""

    now: QueueGlance
    past: Past


class Overview:
    """Looks at all queues for what is wrong and fails, and lists them by name, a page at a time, with their past: some
    calls for each queue in a few round trips, whatever is in them."""

    def __init__(self, desk: Desk, pages: Pages) -> None:
        self._desk = desk
        self._pages = pages
        self._lookout = Lookout(desk.admin, desk.queue_names)
        self._lookback = Lookback(desk.admin.server)

    async def show(self, request: Request) -> Response:
        """The page."""
        wanted = request.query_params.get("q", "")[:200]
        view = await self._lookout.look()
        named = [queue for queue in view.queues if wanted.lower() in queue.queue.lower()]
        start = number_in(request, "start", 0)
        shown, span = named[start : start + QUEUES_A_PAGE], span_of(request)
        pasts, causes = await asyncio.gather(self._pasts(shown, span), failing(self._desk, view.queues))
        return self._pages.answer(
            request,
            "overview.html",
            rows=[QueueRow(queue, past) for queue, past in zip(shown, pasts, strict=True)],
            span=span,
            spans=SPANS,
            history=History(sum_of(pasts), span, zone_of(request), detailed=False) if pasts else None,
            causes=causes,
            kinds=KINDS,
            wanted=wanted,
            start=start,
            total=len(named),
            left_out=view.left_out,
            damaged=view.damaged,
            following=start + QUEUES_A_PAGE if start + QUEUES_A_PAGE < len(named) else None,
            unserved=[queue for queue in view.queues if queue.is_unserved],
            paused=[queue for queue in view.queues if queue.is_paused],
            **_sums(view.queues, pasts),
        )

    async def _pasts(self, queues: Sequence[QueueGlance], span: Span) -> list[Past]:
        names = [queue.queue for queue in queues]
        return await self._lookback.read(names, minutes=span.minutes, step=span.coarse)


def _sums(queues: Sequence[QueueGlance], pasts: Sequence[Past]) -> dict[str, Any]:
    """What all queues have together, and how many jobs end in a minute, as the latest stretch of each tells."""
    latest = [past.latest for past in pasts]
    known = [stretch.ended / stretch.minutes for stretch in latest if stretch is not None]
    return {
        "sums": {state: sum(queue.counts[state] for queue in queues) for state in COUNTED},
        "a_minute": sum(known) if known else None,
    }
