"""Jobs: lists, one, its log, why it waits, what is below it."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from corral.contracts.family import FlowTree
from corral.contracts.secret import masked_text
from corral.contracts.states import JobState
from corral.http.bounded import SECONDS
from corral.http.desk import Desk, TheDesk, TheJob, TheQueue
from corral.http.job_model import JobModel
from corral.http.model import Moment, Shown, moment_of
from corral.http.paging import Cursor, Limit, Page, page_of, start_of
from corral.http.problem import Problem
from corral.http.strict_body import Resource

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/queues/{queue}/jobs", tags=["jobs"], route_class=Resource)

State = Annotated[
    Literal["waiting", "active", "completed", "failed", "delayed", "prioritized", "waiting-children"],
    Query(description="The jobs of this state."),
]


class PendingChildModel(Shown):
    """A child that has not ended."""

    job_id: str
    queue: str
    state: str


class Explanation(Shown):
    """Why a job does not run yet."""

    kind: str = Field(examples=["rate-limit"])
    state: str
    reason: str = Field(description="A sentence.", examples=["its queue is paused"])
    until: Moment | None
    ahead: int | None = Field(
        description="How many jobs run before it; null when it is not among the next thousand."
    )
    children: list[PendingChildModel]
    children_left: int


class Tree(Shown):
    """A job with those below it."""

    job: JobModel
    children: list[Tree]
    more: int = Field(description="Children that are not kept any more, or were not read.")


@router.get("", summary="List the jobs of one state")
async def list_jobs(
    desk: TheDesk, queue: TheQueue, state: State, limit: Limit = 20, cursor: Cursor = None
) -> Page[JobModel]:
    """Finished jobs the newest first, others in the order in which they run. While jobs come and go, pages may overlap
    or leave some out."""
    start = start_of(cursor)
    found = await queue.jobs.list(JobState(state), start=start, limit=limit)
    counts = await queue.counts()
    more = limit if counts[JobState(state)] > start + limit else 0
    return page_of([desk.show(job) for job in found], start, limit, read=more)


@router.get("/{job_id}", summary="Look at a job")
async def read_job(desk: TheDesk, job: TheJob) -> JobModel:
    """All that is kept of it, its log aside."""
    return desk.show(job)


@router.get("/{job_id}/logs", summary="Read a job's log")
async def read_logs(queue: TheQueue, job: TheJob, limit: Limit = 100, cursor: Cursor = None) -> Page[str]:
    """Its lines, the oldest first."""
    start = start_of(cursor)
    lines = await queue.jobs.logs(job.id, start=start, limit=limit)
    return page_of(list(map(masked_text, lines)), start, limit)


@router.get("/{job_id}/explanation", summary="Why a job does not run yet")
async def explain(desk: TheDesk, queue: TheQueue, job: TheJob) -> Explanation:
    """The child that it waits for, its time, its queue, or the jobs before it."""
    found = await desk.client.queue(queue.name).job(job.id).why_waiting()
    return Explanation(
        kind=found.kind,
        state=found.state,
        reason=str(found),
        until=moment_of(found.until),
        ahead=found.ahead,
        children=[
            PendingChildModel(job_id=one.job_id, queue=one.queue, state=one.state) for one in found.children
        ],
        children_left=found.children_left,
    )


@router.get("/{job_id}/flow", summary="A job with those below it")
async def read_flow(
    desk: TheDesk,
    queue: TheQueue,
    job: TheJob,
    depth: Annotated[int, Query(description="How many levels: 1 to 10.")] = 5,
    width: Annotated[int, Query(description="How many children of each: 1 to 100.")] = 20,
) -> Tree:
    """Children that failed and those that have not ended come first."""
    levels, children = max(1, min(10, depth)), max(1, min(100, width))
    try:
        async with asyncio.timeout(SECONDS):
            found = await desk.client.queue(queue.name).flow(job.id, depth=levels, width=children)
    except TimeoutError:
        detail = (
            f"it cannot be read within {SECONDS:.0f} s: ask for fewer levels (depth) or children (width), "
            "or for the flow of a job further down"
        )
        raise Problem(422, "flow-too-large", detail) from None
    return _tree(desk, found or FlowTree(job))


def _tree(desk: Desk, tree: FlowTree) -> Tree:
    children = [_tree(desk, child) for child in tree.children]
    return Tree(job=desk.show(tree.job), children=children, more=tree.more)
