"""The page of a job: what happened to it, what it has, and why it waits."""

from __future__ import annotations

import asyncio
from typing import Final

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from corral.contracts.family import FlowTree
from corral.contracts.job import Job
from corral.contracts.names import decode_job_id
from corral.contracts.secret import masked_text
from corral.contracts.states import FINISHED, JobState
from corral.dashboard.flow_picture import draw_flow
from corral.dashboard.job_story import story_of
from corral.dashboard.pages import Pages, link_to, number_in, segment
from corral.engine.browse_keys import split_keys
from corral.http.desk import Desk
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
            producer.flow(job.id, depth=2, width=10),
            producer.job(job.id).why_waiting(),
        )
        ended, shown = job.state in FINISHED, self._desk.redactor.job(job)
        return self._pages.answer(
            request,
            "job.html",
            job=shown,
            shown=self._desk.show(job),
            story=story_of(shown),
            lines=[masked_text(line) for line in lines[:LINES_A_PAGE]],
            start=start,
            following=start + LINES_A_PAGE if len(lines) > LINES_A_PAGE else None,
            picture=_picture(request, job, flow),
            parent=await self._parent_of(job),
            why=None if ended or job.state is JobState.ACTIVE else why,
            ended=ended,
            outcome=request.query_params.get("outcome", ""),
        )

    async def _parent_of(self, job: Job) -> tuple[str, str] | None:
        """Queue and id of the job that waits for this one."""
        if not job.parent_key:
            return None
        server = self._desk.admin.server
        found = (await split_keys(server, server.keys(job.queue), [job.parent_key]))[0]
        return found.queue, decode_job_id(found.wire_id)

    async def download(self, request: Request) -> Response:
        """The payload or the result, whole, as a file."""
        shown = self._desk.show(await self.find(request))
        part = request.path_params["part"]
        if part not in ("data", "returnvalue"):
            raise Problem(404, "not-found", "there is no such part of a job")
        content = shown.model_dump_json(include={part}, indent=2)
        headers = {"Content-Disposition": f'attachment; filename="{part}.json"'}
        return Response(content, media_type="application/json", headers=headers)


def _picture(request: Request, job: Job, flow: FlowTree | None) -> Markup | None:
    if flow is None or not (flow.children or flow.more):
        return None
    return draw_flow(flow, job, lambda one: link_to(request, "queues", one.queue, "jobs", one.id))
