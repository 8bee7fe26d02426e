"""Another payload for a job: for its next run, or to run it again when it has ended."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from corral.contracts.job import Job
from corral.contracts.states import FINISHED
from corral.dashboard.changes import Change, Confirmation, Form, text_in
from corral.dashboard.job import JobPage
from corral.dashboard.pages import Pages, see
from corral.dashboard.payload_form import PayloadForm, form_fields
from corral.errors import InvalidInput
from corral.http.access import check_role
from corral.http.action import Action
from corral.http.catalogue import put_back, value_for
from corral.http.desk import Desk
from corral.http.problem import Problem

__all__ = ["EditJob"]


class EditJob:
    """Asks for a payload, and stores it if it is one of the job's task. Nothing changes when it is not."""

    def __init__(self, desk: Desk, pages: Pages, jobs: JobPage) -> None:
        self._desk = desk
        self._pages = pages
        self._jobs = jobs

    def changes(self) -> list[Change]:
        """What is sent."""
        one = "/queues/{queue}/jobs/{job}"
        return [
            Change(f"{one}/edit", Action.EDIT_JOB, self.edit),
            Change(f"{one}/replay", Action.REPLAY_JOB, self.replay),
        ]

    async def ask(self, request: Request) -> Response:
        """The form, with the payload that the job has."""
        job = await self._jobs.find(request)
        check_role(request.scope["corral.principal"], _action(job).role)
        form = PayloadForm.of(
            self._desk.catalogue.find(job.queue, job.name), self._desk.redactor.job(job).data
        )
        return self._show(request, job, form.as_json() if request.query_params.get("as") == "json" else form)

    async def edit(self, form: Form) -> Response | Confirmation:
        """Let its next run have it. A run that has begun keeps the old one."""
        return await self._store(form, Action.EDIT_JOB)

    async def replay(self, form: Form) -> Response | Confirmation:
        """Run a job that has ended again, with it."""
        return await self._store(form, Action.REPLAY_JOB)

    async def _store(self, form: Form, action: Action) -> Response | Confirmation:
        job = await self._jobs.find(form.request)
        spec = self._desk.catalogue.find(job.queue, job.name)
        sent = PayloadForm.sent(form_fields(spec), form.fields)
        if "rows" in form.fields:
            return self._show(form.request, job, sent)
        payload, sent = sent.read()
        if sent.problems:
            return self._show(form.request, job, sent)
        verbs = self._desk.admin.queue(job.queue).jobs
        again = action is Action.REPLAY_JOB
        try:
            self._desk.check_seen(job, text_in(form, "seen"))
            value = value_for(spec, put_back(payload, self._desk.redactor.job(job).data, job.data))
            async with form.operator.acting(action, f"{job.queue}/{job.id}", changed=["data"]):
                await (verbs.replay if again else verbs.set_data)(job.id, value, task=spec)
        except (InvalidInput, Problem) as error:
            return self._show(form.request, job, sent.refused(error))
        return see(
            form.request, "queues", job.queue, "jobs", job.id, outcome="replayed" if again else "edited"
        )

    def _show(self, request: Request, job: Job, form: PayloadForm) -> Response:
        known = form_fields(self._desk.catalogue.find(job.queue, job.name)) is not None
        return self._pages.answer(
            request,
            "edit_job.html",
            status=form.status,
            job=job,
            ended=job.state in FINISHED,
            seen=self._desk.show(job).digest,
            other=known,
            **form.shown(),
        )


def _action(job: Job) -> Action:
    return Action.REPLAY_JOB if job.state in FINISHED else Action.EDIT_JOB
