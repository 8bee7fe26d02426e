"""Who works: every worker process that is known, what it does, and how it is."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from corral.contracts.worker_record import WorkerRecord, WorkerState
from corral.dashboard.pages import Pages, number_in
from corral.errors import ServerRefused
from corral.http.desk import Desk

__all__ = ["WorkersPage"]

WORKERS_A_PAGE: Final = 100
BLOCKED_MS: Final = 1000
"""An event loop that kept something waiting for so long is worth a look."""


class WorkersPage:
    """Lists workers, those in trouble first."""

    def __init__(self, desk: Desk, pages: Pages) -> None:
        self._desk = desk
        self._pages = pages

    async def show(self, request: Request) -> Response:
        """The page. Where the server does not say who is connected, it says that nothing is known."""
        wanted, start = request.query_params.get("q", "").strip()[:200], number_in(request, "start", 0)
        try:
            everyone, refused = await self._desk.admin.workers(known=await self._desk.queue_names.read()), ""
        except ServerRefused as error:
            everyone, refused = [], str(error)
        found = sorted((one for one in everyone if _has(one, wanted.lower())), key=_rank)
        return self._pages.answer(
            request,
            "workers.html",
            workers=found[start : start + WORKERS_A_PAGE],
            total=len(everyone),
            found=len(found),
            busy=sum(worker.jobs_in_hand for worker in found),
            slots=sum(sum(worker.concurrency.values()) for worker in found),
            refused=refused,
            wanted=wanted,
            start=start,
            following=start + WORKERS_A_PAGE if len(found) > start + WORKERS_A_PAGE else None,
            blocked_ms=BLOCKED_MS,
            outcome=request.query_params.get("outcome", ""),
        )


def _has(worker: WorkerRecord, text: str) -> bool:
    return any(
        text in field.lower() for field in (worker.name, worker.host or "", worker.address, *worker.queues)
    )


def _rank(worker: WorkerRecord) -> tuple[bool, bool, bool, str]:
    is_silent = worker.state is WorkerState.SILENT
    return not worker.troubles and not is_silent, is_silent, not worker.ours, worker.name
