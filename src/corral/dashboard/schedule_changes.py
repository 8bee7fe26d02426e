"""What can be done to schedules: run one now, make one, change it, remove it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from corral.contracts.schedule_snapshot import Schedule
from corral.dashboard.changes import Change, Confirmation, Form, text_in
from corral.dashboard.cron_words import words_of
from corral.dashboard.pages import Pages, see, segment
from corral.dashboard.schedule_form import FIELDS, ScheduleForm
from corral.dashboard.schedules import find_schedule
from corral.dashboard.upcoming import runs_by_clock
from corral.errors import InvalidInput
from corral.http.access import check_role
from corral.http.action import Action
from corral.http.catalogue import given_in_full, put_back, value_for
from corral.http.desk import Desk
from corral.http.problem import Problem, problem_of

__all__ = ["ScheduleChanges"]

PREVIEWED: Final = 5


class ScheduleChanges:
    """The forms of schedules, and what becomes of them."""

    def __init__(self, desk: Desk, pages: Pages) -> None:
        self._desk = desk
        self._pages = pages

    def changes(self) -> list[Change]:
        """Everything that is sent."""
        one = "/queues/{queue}/schedules/{schedule}"
        return [
            Change(f"{one}/run", Action.ADD_JOB, run),
            Change(f"{one}/remove", Action.REMOVE_SCHEDULE, remove),
            Change(f"{one}/edit", Action.SET_SCHEDULE, self.store),
            Change("/queues/{queue}/new-schedule", Action.SET_SCHEDULE, self.store),
        ]

    async def ask(self, request: Request) -> Response:
        """The form: of a schedule that is there, or an empty one."""
        check_role(request.scope["corral.principal"], Action.SET_SCHEDULE.role)
        if "schedule" in request.path_params:
            _, schedule = await find_schedule(self._desk, request)
            return self._show(request, ScheduleForm.of(self._desk.redactor.schedule(schedule)), schedule)
        await self._desk.queue(segment(request, "queue"))
        return self._show(request, ScheduleForm({}, None), None)

    async def store(self, form: Form) -> Response | Confirmation:
        """Store it, or show the form again with what is wrong, or with the next runs."""
        request, edited = form.request, None
        if "schedule" in request.path_params:
            _, edited = await find_schedule(form.desk, request)
        given = ScheduleForm({name: text_in(form, name, 1024 * 1024) for name in FIELDS}, edited)
        queue = form.desk.admin.queue(segment(request, "queue"))
        schedule_id = given.texts["id"].strip() if edited is None else edited.id
        try:
            rule = given.rule()
            if form.fields.get("preview"):
                runs = runs_by_clock(rule, await queue.schedules.preview(rule, PREVIEWED), datetime.now(UTC))
                return self._show(request, given, edited, words=words_of(rule), upcoming=runs)
            spec = form.desk.catalogue.resolve(given.texts["name"].strip(), queue.name)
            payload = value_for(spec, self._payload(given, edited, spec.name))
            async with form.operator.acting(
                Action.SET_SCHEDULE, f"{queue.name}/{schedule_id}", rule=words_of(rule), task=spec.name
            ):
                await queue.schedules.upsert(schedule_id, rule, spec, payload, **given.options())
        except (InvalidInput, Problem) as error:
            problem = problem_of(error) if isinstance(error, InvalidInput) else error
            return self._show(request, given, edited, problem=problem)
        return see(request, "queues", queue.name, "schedules", schedule_id, outcome="scheduled")

    def _payload(self, given: ScheduleForm, edited: Schedule | None, task: str) -> Any:
        """What its jobs get. Another task's types would show what those of this one mask."""
        if edited is None or edited.name != task:
            return given_in_full(given.payload())
        return put_back(given.payload(), self._desk.redactor.schedule(edited).data, edited.data)

    def _show(
        self,
        request: Request,
        form: ScheduleForm,
        edited: Schedule | None,
        *,
        problem: Problem | None = None,
        **shown: object,
    ) -> Response:
        queue = segment(request, "queue")
        values = {"words": "", "upcoming": [], **shown}
        return self._pages.answer(
            request,
            "schedule_form.html",
            status=200 if problem is None else problem.status_code,
            queue=queue,
            texts=form.texts,
            lost=form.lost,
            edited=edited,
            tasks=[spec.name for spec in self._desk.catalogue.specs if spec.queue == queue],
            problem=problem,
            **values,
        )


async def run(form: Form) -> Response | Confirmation:
    """Add a job like those that it makes. The schedule itself goes on as before."""
    queue, schedule = await find_schedule(form.desk, form.request)
    options = ScheduleForm.of(schedule).options()
    async with form.operator.acting(Action.ADD_JOB, queue.name, schedule=schedule.id) as detail:
        handle = await form.desk.client.queue(queue.name).enqueue(schedule.name, schedule.data, **options)
        detail["jobId"] = handle.id
    return see(form.request, "queues", queue.name, "jobs", handle.id, outcome="added")


async def remove(form: Form) -> Response | Confirmation:
    """Remove it with its pending job."""
    queue, schedule = await find_schedule(form.desk, form.request)
    if not form.confirmed:
        return Confirmation(
            f"Remove schedule {schedule.id} of queue {queue.name}, with its next job?", "Remove it", 1
        )
    async with form.operator.acting(Action.REMOVE_SCHEDULE, f"{queue.name}/{schedule.id}"):
        await queue.schedules.remove(schedule.id)
    return see(form.request, "queues", queue.name, "schedules", outcome="removed")
