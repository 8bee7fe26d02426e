"""What makes jobs again and again: the schedules of all queues, of one, and one schedule with its runs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from corral.admin.queue import QueueAdmin
from corral.contracts.job import Job
from corral.contracts.schedule import Cron
from corral.contracts.schedule_snapshot import Schedule
from corral.contracts.states import JobState
from corral.dashboard.cron_words import words_of
from corral.dashboard.pages import Pages, number_in, segment
from corral.dashboard.upcoming import runs_by_clock
from corral.http.damage import of_each
from corral.http.desk import Desk
from corral.http.problem import Problem
from corral.store.cron_job import StoredCronJob

__all__ = ["SchedulesPage", "find_schedule"]

QUEUES_A_PAGE: Final = 50
OF_EACH: Final = 100
RUNS_SHOWN: Final = 10
LOOKED_AT: Final = 200
"""Jobs of each state that are searched for a schedule's runs."""
MOST_CRON_JOBS: Final = 200


class SchedulesPage:
    """Lists BullMQ's schedules, whoever made them, and the cron jobs of the database, where there is one."""

    def __init__(self, desk: Desk, pages: Pages) -> None:
        self._desk = desk
        self._pages = pages

    async def of_all(self, request: Request) -> Response:
        """Those of all queues, the next to run first."""
        names = await self._desk.queue_names.read()
        start = number_in(request, "start", 0)
        following = start + QUEUES_A_PAGE if len(names) > start + QUEUES_A_PAGE else None
        shown = names[start : start + QUEUES_A_PAGE]
        return await self._answer(request, None, shown, start=start, following=following)

    async def of_one(self, request: Request) -> Response:
        """Those of one queue."""
        queue = await self._desk.queue(segment(request, "queue"))
        return await self._answer(request, queue.name, [queue.name], start=0, following=None)

    async def _answer(
        self, request: Request, queue: str | None, names: list[str], *, start: int, following: int | None
    ) -> Response:
        asked, cron_jobs = await asyncio.gather(of_each(names, self._list), self._kept(queue))
        schedules = [self._desk.redactor.schedule(one) for some in asked.values() for one in some or ()]
        by_place = {(one.queue, one.job_id): one for one in cron_jobs}
        there = {(schedule.queue, schedule.id) for schedule in schedules}
        last = datetime.max.replace(tzinfo=UTC)
        return self._pages.answer(
            request,
            "schedules.html",
            queue=queue,
            schedules=sorted(schedules, key=lambda schedule: schedule.next_run or last),
            damaged=[name for name, some in asked.items() if some is None],
            by_place=by_place,
            absent=[one for place, one in by_place.items() if place not in there],
            keeps=self._desk.schedules is not None,
            words_of=words_of,
            zone_of=_zone_of,
            start=start,
            following=following,
            outcome=request.query_params.get("outcome", ""),
        )

    async def show(self, request: Request) -> Response:
        """One schedule. Raises `Problem` 404."""
        queue, schedule = await find_schedule(self._desk, request)
        cron_job, runs = await asyncio.gather(self._find(schedule), _runs_of(queue, schedule.id))
        now, shown = datetime.now(UTC), self._desk.redactor.schedule(schedule)
        return self._pages.answer(
            request,
            "schedule.html",
            schedule=shown,
            options=dict(shown.opts.raw),
            words=words_of(schedule.rule),
            zone=_zone_of(schedule),
            upcoming=runs_by_clock(schedule.rule, schedule.upcoming(RUNS_SHOWN), now),
            runs=list(map(self._desk.redactor.job, runs)),
            looked_at=LOOKED_AT,
            cron_job=cron_job,
            outcome=request.query_params.get("outcome", ""),
        )

    async def _list(self, name: str) -> Sequence[Schedule]:
        return await self._desk.admin.queue(name).schedules.list(limit=OF_EACH)

    async def _kept(self, queue: str | None) -> list[StoredCronJob]:
        if self._desk.schedules is None:
            return []
        page = await self._desk.schedules.cron_jobs.list(limit=MOST_CRON_JOBS)
        return [self._desk.redactor.cron_job(one) for one in page.cron_jobs if queue in (None, one.queue)]

    async def _find(self, schedule: Schedule) -> StoredCronJob | None:
        if self._desk.schedules is None:
            return None
        found = await self._desk.schedules.cron_jobs.find(schedule.id)
        return found if found is not None and found.queue == schedule.queue else None


async def find_schedule(desk: Desk, request: Request) -> tuple[QueueAdmin, Schedule]:
    """The schedule of the path, and its queue. Raises `Problem` 404."""
    queue, schedule_id = await desk.queue(segment(request, "queue")), segment(request, "schedule")
    found = await queue.schedules.get(schedule_id)
    if found is None:
        raise Problem(404, "unknown-schedule", f"queue {queue.name!r} has no schedule {schedule_id[:200]!r}")
    return queue, found


async def _runs_of(queue: QueueAdmin, schedule_id: str) -> list[Job]:
    """Its latest runs among the jobs that are looked at: active ones, and the last to end."""
    states = (JobState.ACTIVE, JobState.COMPLETED, JobState.FAILED)
    pages = await asyncio.gather(*(queue.jobs.list(state, limit=LOOKED_AT) for state in states))
    runs = [job for page in pages for job in page if job.repeat_key == schedule_id]
    earliest = datetime.min.replace(tzinfo=UTC)
    return sorted(runs, key=lambda job: job.processed_on or earliest, reverse=True)


def _zone_of(schedule: Schedule | Any) -> str:
    return schedule.rule.tz if isinstance(schedule.rule, Cron) else ""
