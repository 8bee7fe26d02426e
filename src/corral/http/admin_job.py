"""Adding one job by its handler's name. For admins only."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import Field

from corral.http.action import Action, Operator
from corral.http.catalogue import value_for
from corral.http.desk import TheDesk, may
from corral.http.job_model import JobModel
from corral.http.model import Given, Milliseconds
from corral.http.strict_body import Resource

__all__ = ["router"]

router = APIRouter(prefix="/api/admin/job", tags=["admin jobs"], route_class=Resource)


class NewJobOptions(Given):
    """How it runs. What is left out is as the task has it."""

    delay: Milliseconds | None = Field(
        default=None, description="Run no sooner than after so many milliseconds."
    )
    priority: int | None = Field(
        default=None, description="A lower number runs sooner; jobs without one run first."
    )
    attempts: int | None = Field(default=None, description="Runs in all.")
    job_id: str | None = Field(default=None, description="The same id is one job, as long as that is kept.")


class NewJob(Given):
    """A job to add."""

    handler: str = Field(description="The task's name, or `queue:name`.", examples=["email.sendInvite"])
    payload: Any = Field(default_factory=dict, examples=[{"to": "ann@example.org"}])
    options: NewJobOptions = NewJobOptions()
    queue: str | None = Field(default=None, description="Needed where the name alone does not say it.")

    def enqueue_options(self) -> dict[str, Any]:
        """The options as `task.enqueue` takes them."""
        given = self.options.model_dump(exclude_none=True)
        if "delay" in given:
            given["delay"] = timedelta(milliseconds=given["delay"])
        return given


@router.post("", status_code=201, summary="Add a job", responses={200: {"model": JobModel}})
async def add_job(
    operator: Annotated[Operator, may(Action.ADD_JOB)], desk: TheDesk, job: NewJob, response: Response
) -> JobModel:
    """The payload is validated against the task's type before anything is stored. 201 with the job; 200 when there was
    one with this `jobId`, which stays as it is."""
    spec = desk.catalogue.resolve(job.handler, job.queue)
    request = spec.request(value_for(spec, job.payload), job.enqueue_options())
    async with operator.acting(Action.ADD_JOB, spec.queue, handler=spec.name) as detail:
        handle = await desk.client.submit(request)
        detail["jobId"] = handle.id
    if handle.created is False:
        response.status_code = 200
    return await desk.show_added(spec.queue, spec.name, job.payload, handle.id)
