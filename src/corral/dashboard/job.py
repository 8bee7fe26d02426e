"""The page of a job: what happened to it, what it has, and why it waits."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from corral.contracts.job import Job
from corral.contracts.states import FINISHED, JobState
from corral.dashboard.job_story import story_of
from corral.dashboard.pages import Pages, number_in, segment
from corral.http.desk import Desk
from corral.http.job_model import show_job
from corral.http.problem import Problem

__all__ = ["JobPage"]

LINES_A_PAGE: Final = 200


class JobPage:
    """Everything that is kept of one job."""

    def __init__(self, desk: Desk, pages: Pages) -> None:
        self._desk = desk
        self._pages = pages

    async def find(self, request: Request) -> Job:
        """The job of the path. Raises `Problem` 404."""
        name, job_id = segment(request, "queue"), segment(request, "job")
        job = await (await self._desk.queue(name)).jobs.get(job_id)
        if job is None:
            raise Problem(404, "job-gone", f"there is no job {job_id[:200]!r} in queue {name!r}")
        return job

    async def show(self, request: Request) -> Response:
        """The page."""
        job = await self.find(request)
        producer = self._desk.client.queue(job.queue)
        start = number_in(request, "log", 0)
        lines, flow, why = await asyncio.gather(
            producer.logs(job.id, start=start, limit=LINES_A_PAGE + 1),
            producer.flow(job.id, depth=4, width=20),
            producer.job(job.id).why_waiting(),
        )
        ended = job.state in FINISHED
        return self._pages.answer(
            request,
            "job.html",
            job=job,
            shown=show_job(job),
            story=story_of(job),
            lines=lines[:LINES_A_PAGE],
            start=start,
            following=start + LINES_A_PAGE if len(lines) > LINES_A_PAGE else None,
            flow=flow if flow is not None and (flow.children or flow.more) else None,
            why=None if ended or job.state is JobState.ACTIVE else why,
            ended=ended,
            outcome=request.query_params.get("outcome", ""),
        )

    async def download(self, request: Request) -> Response:
        """The payload or the result, whole, as a file."""
        shown = show_job(await self.find(request))
        part = request.path_params["part"]
        if part not in ("data", "returnvalue"):
            raise Problem(404, "not-found", "there is no such part of a job")
        content = shown.model_dump_json(include={part}, indent=2)
        headers = {"Content-Disposition": f'attachment; filename="{part}.json"'}
        return Response(content, media_type="application/json", headers=headers)
