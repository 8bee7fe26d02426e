"""What failed for good, by cause: of all queues, of one, and one cause with its jobs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from corral.admin.failure_group import FailureGroup, FailureGroups
from corral.contracts.failure import FailureKind
from corral.contracts.states import JobState
from corral.dashboard.pages import Pages, number_in, segment
from corral.http.damage import of_each
from corral.http.desk import Desk
from corral.http.problem import Problem

__all__ = ["KINDS", "FailuresPage"]

QUEUES_A_PAGE: Final = 50
GROUPS_OF_ALL: Final = 20
"""Of each queue, on the page of all queues."""
GROUPS_OF_ONE: Final = 500
JOBS_A_PAGE: Final = 50

KINDS: Final = {
    FailureKind.EXHAUSTED: "no attempts left",
    FailureKind.PERMANENT: "failed for good at once",
    FailureKind.INVALID_PAYLOAD: "invalid payload",
    FailureKind.UNKNOWN_TASK: "unknown task",
    FailureKind.POISON: "stalled too often",
    FailureKind.SUPERSEDED: "superseded by a newer job",
    FailureKind.CANCELLED: "cancelled",
    FailureKind.SKIPPED: "skipped",
}
"""In words."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A group of failures, and its queue."""

    queue: str
    group: FailureGroup


class FailuresPage:
    """Shows groups of failed jobs. A look files what no worker has filed yet, up to a thousand jobs of a queue."""

    def __init__(self, desk: Desk, pages: Pages) -> None:
        self._desk = desk
        self._pages = pages

    async def of_all(self, request: Request) -> Response:
        """The causes of all queues, the latest to fail first."""
        names = await self._desk.queue_names.read()
        start = number_in(request, "start", 0)
        shown = names[start : start + QUEUES_A_PAGE]
        following = start + QUEUES_A_PAGE if len(names) > start + QUEUES_A_PAGE else None
        return await self._answer(request, None, shown, GROUPS_OF_ALL, start=start, following=following)

    async def of_one(self, request: Request) -> Response:
        """The causes of one queue."""
        queue = await self._desk.queue(segment(request, "queue"))
        return await self._answer(request, queue.name, [queue.name], GROUPS_OF_ONE, start=0, following=None)

    async def _answer(
        self,
        request: Request,
        queue: str | None,
        names: list[str],
        most: int,
        *,
        start: int,
        following: int | None,
    ) -> Response:
        asked = await of_each(names, lambda name: self._groups(name, most))
        found = [groups for groups in asked.values() if groups is not None]
        causes = [Cause(name, group) for name, groups in asked.items() if groups for group in groups.groups]
        kind = _kind(request.query_params.get("kind"))
        text = request.query_params.get("q", "").strip()[:200]
        shown = [
            cause for cause in causes if kind in (None, cause.group.kind) and _has(cause.group, text.lower())
        ]
        return self._pages.answer(
            request,
            "failures.html",
            queue=queue,
            damaged=[name for name, groups in asked.items() if groups is None],
            causes=sorted(shown, key=lambda cause: cause.group.last_seen, reverse=True),
            by_kind={
                kind: sum(one.group.count for one in causes if one.group.kind is kind) for kind in KINDS
            },
            kinds=KINDS,
            kind=kind,
            text=text,
            covered=sum(groups.covered for groups in found),
            total=sum(groups.total for groups in found),
            exact=all(groups.exact for groups in found),
            start=start,
            following=following,
            outcome=request.query_params.get("outcome", ""),
            number=number_in(request, "number", 0),
        )

    async def _groups(self, name: str, most: int) -> FailureGroups:
        queue = self._desk.admin.queue(name)
        if not (await queue.counts())[JobState.FAILED]:
            return FailureGroups((), 0, 0, exact=True)
        return await queue.failures.groups(limit=most)

    async def show(self, request: Request) -> Response:
        """One cause, with its jobs. Raises `Problem` 404 when nothing that failed has it any more."""
        name, fingerprint = segment(request, "queue"), segment(request, "fingerprint")
        queue = await self._desk.queue(name)
        start = number_in(request, "start", 0)
        groups, jobs = await asyncio.gather(
            queue.failures.groups(limit=GROUPS_OF_ONE),
            queue.failures.jobs(fingerprint, start=start, limit=JOBS_A_PAGE + 1),
        )
        group = next((one for one in groups.groups if one.fingerprint == fingerprint), None)
        if group is None:
            raise Problem(404, "no-such-failures", f"no failed job of queue {name!r} has this cause any more")
        example = await queue.jobs.get(group.example)
        return self._pages.answer(
            request,
            "failure.html",
            queue=name,
            group=group,
            kinds=KINDS,
            exact=groups.exact,
            jobs=[self._desk.redactor.job(job) for job in jobs[:JOBS_A_PAGE]],
            stack=None
            if example is None
            else next(reversed(self._desk.redactor.job(example).stacktrace), None),
            start=start,
            before=max(0, start - JOBS_A_PAGE) if start else None,
            following=start + JOBS_A_PAGE if len(jobs) > JOBS_A_PAGE else None,
        )


def _kind(text: str | None) -> FailureKind | None:
    return FailureKind(text) if text in set(FailureKind) else None


def _has(group: FailureGroup, text: str) -> bool:
    return any(
        text in field.lower() for field in (group.message, group.error_type, group.place, group.fingerprint)
    )
