"""A cron job of the database: its page, which is a form, and what can be done to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from corral.contracts.schedule import Cron
from corral.contracts.strict_json import parse_strict_json
from corral.dashboard.changes import Change, Confirmation, Form, text_in
from corral.dashboard.cron_words import words_of
from corral.dashboard.pages import Pages, see, segment
from corral.dashboard.upcoming import Run, runs_by_clock
from corral.errors import CronJobChanged, CronJobTaken, FieldProblem, InvalidCronJob, InvalidInput
from corral.http.action import Action
from corral.http.catalogue import given_in_full, put_back
from corral.http.desk import Desk
from corral.http.problem import Problem, problem_of
from corral.store.cron_job import JSON_NAMES, CronJob, StoredCronJob
from corral.store.schedules import DatabaseSchedules

__all__ = ["CronJobPage"]

FIELDS: Final = (
    "job_id",
    "name",
    "queue",
    "handler",
    "pattern",
    "tz",
    "payload",
    "max_attempts",
    "backoff_ms",
)
NUMBERS: Final = ("max_attempts", "backoff_ms")
RUNS_SHOWN: Final = 5
JOBS_SHOWN: Final = 20
NOT_KEPT: Final = "there is no database here that could keep cron jobs"


class CronJobPage:
    """Shows a cron job as a form: for admins, who may change it, and all others to look at."""

    def __init__(self, desk: Desk, pages: Pages) -> None:
        self._desk = desk
        self._pages = pages

    def changes(self) -> list[Change]:
        """What is sent."""
        one = "/cron-jobs/{cron_job}"
        return [
            Change("/new-cron-job", Action.CREATE_CRON_JOB, self.create),
            Change(f"{one}/edit", Action.UPDATE_CRON_JOB, self.update),
            Change(f"{one}/pause", Action.UPDATE_CRON_JOB, self.switch),
            Change(f"{one}/resume", Action.UPDATE_CRON_JOB, self.switch),
            Change(f"{one}/give-back", Action.UPDATE_CRON_JOB, self.give_back),
            Change(f"{one}/remove", Action.DELETE_CRON_JOB, self.delete),
            Change(f"{one}/run", Action.TRIGGER_CRON_JOB, self.trigger),
        ]

    # --- looking at it ----------------------------------------------------------------------------------

    async def show(self, request: Request) -> Response:
        """One cron job. Raises `Problem` 404."""
        return await self._show(request, await self._find(request))

    async def ask(self, request: Request) -> Response:
        """The empty form."""
        self._schedules()
        texts = dict.fromkeys(FIELDS, "") | {
            "tz": "UTC",
            "payload": "{}",
            "max_attempts": "3",
            "backoff_ms": "1000",
        }
        return await self._show(
            request, None, texts | {"queue": request.query_params.get("queue", "")[:1000]}
        )

    async def _show(
        self,
        request: Request,
        stored: StoredCronJob | None,
        texts: Mapping[str, str] | None = None,
        problem: Problem | None = None,
        problems: Mapping[str, str] | None = None,
    ) -> Response:
        history = None
        if stored is not None and stored.problem is None:
            found = await self._schedules().history(stored, limit=JOBS_SHOWN)
            history = replace(found, jobs=list(map(self._desk.redactor.job, found.jobs)))
        words, upcoming = _told(stored)
        return self._pages.answer(
            request,
            "cron_job.html",
            status=200 if problem is None else problem.status_code,
            cron_job=stored,
            texts=texts or _texts_of(None if stored is None else self._desk.redactor.cron_job(stored)),
            problem=problem,
            problems=problems or {},
            history=history,
            words=words,
            upcoming=upcoming,
            tasks=sorted({spec.name for spec in self._desk.catalogue.specs}),
            outcome=request.query_params.get("outcome", ""),
        )

    # --- changing it ------------------------------------------------------------------------------------

    async def create(self, form: Form) -> Response | Confirmation:
        """Make one."""
        return await self._store(form, None)

    async def update(self, form: Form) -> Response | Confirmation:
        """Change one, unless somebody has changed it since the form was shown."""
        return await self._store(form, await self._find(form.request))

    async def _store(self, form: Form, stored: StoredCronJob | None) -> Response | Confirmation:
        texts = {name: text_in(form, name, 1024 * 1024) for name in FIELDS}
        jobs = self._schedules().cron_jobs
        try:
            values = _values_of(texts)
            if stored is None:
                given_in_full(values["payload"])
                async with form.operator.acting(Action.CREATE_CRON_JOB, texts["job_id"]) as detail:
                    done = await jobs.create(CronJob(**values))
                    detail["id"] = done.id
                    await self._schedules().take_up(done.id)
            else:
                values["payload"] = self._payload(values, stored)
                changed = {name: value for name, value in values.items() if value != getattr(stored, name)}
                revision = text_in(form, "revision", 20)
                async with form.operator.acting(
                    Action.UPDATE_CRON_JOB, stored.job_id, changed=sorted(changed)
                ):
                    seen = int(revision) if revision.isascii() and revision.isdecimal() else None
                    done = await jobs.update(stored.id, revision=seen, **changed)
                    await self._schedules().take_up(done.id)
        except (InvalidInput, CronJobTaken, CronJobChanged, Problem) as error:
            found = (
                {one.path: one.message for one in error.problems} if isinstance(error, InvalidCronJob) else {}
            )
            problem = error if isinstance(error, Problem) else problem_of(error)
            return await self._show(form.request, stored, texts, problem, found)
        return see(form.request, "cron-jobs", done.id, outcome="scheduled")

    def _payload(self, values: Mapping[str, Any], stored: StoredCronJob) -> Any:
        """What its jobs get. Another task's types would show what those of this one mask."""
        if (values["queue"], values["handler"]) != (stored.queue, stored.handler):
            return given_in_full(values["payload"])
        return put_back(values["payload"], self._desk.redactor.cron_job(stored).payload, stored.payload)

    async def switch(self, form: Form) -> Response | Confirmation:
        """Pause it, or let it run again."""
        stored, enabled = await self._find(form.request), form.request.url.path.endswith("/resume")
        async with form.operator.acting(Action.UPDATE_CRON_JOB, stored.job_id, enabled=enabled):
            await self._schedules().cron_jobs.update(stored.id, enabled=enabled)
            await self._schedules().take_up(stored.id)
        return see(form.request, "cron-jobs", stored.id, outcome="scheduled")

    async def give_back(self, form: Form) -> Response | Confirmation:
        """Let it be what the program declares."""
        stored = await self._find(form.request)
        async with form.operator.acting(
            Action.UPDATE_CRON_JOB, stored.job_id, given_back=list(stored.edited)
        ):
            await self._schedules().cron_jobs.give_back(stored.id)
            await self._schedules().take_up(stored.id)
        return see(form.request, "cron-jobs", stored.id, outcome="scheduled")

    async def delete(self, form: Form) -> Response | Confirmation:
        """Delete it, with its next job."""
        stored = await self._find(form.request)
        if not form.confirmed:
            return Confirmation(f"Delete cron job {stored.job_id}, with its next job?", "Delete it", 1)
        async with form.operator.acting(Action.DELETE_CRON_JOB, stored.job_id):
            await self._schedules().cron_jobs.delete(stored.id)
            await self._schedules().take_up(stored.id)
        return see(form.request, "schedules", outcome="removed")

    async def trigger(self, form: Form) -> Response | Confirmation:
        """Add a job of it now. The schedule goes on as before."""
        stored = await self._find(form.request)
        async with form.operator.acting(Action.TRIGGER_CRON_JOB, stored.job_id) as detail:
            handle = await self._schedules().trigger(stored)
            detail["jobId"] = handle.id
        return see(form.request, "queues", stored.queue, "jobs", handle.id, outcome="added")

    # --- inside -----------------------------------------------------------------------------------------

    def _schedules(self) -> DatabaseSchedules:
        if self._desk.schedules is None:
            raise Problem(404, "no-database", NOT_KEPT)
        return self._desk.schedules

    async def _find(self, request: Request) -> StoredCronJob:
        found = await self._schedules().cron_jobs.get(segment(request, "cron_job"))
        if found is None:
            raise Problem(404, "cron-job-gone", "there is no such cron job")
        return found


def _texts_of(stored: StoredCronJob | None) -> dict[str, str]:
    if stored is None:
        return dict.fromkeys(FIELDS, "")
    texts = {name: str(getattr(stored, name)) for name in FIELDS}
    return texts | {"payload": json.dumps(stored.payload, indent=2, ensure_ascii=False)}


def _values_of(texts: Mapping[str, str]) -> dict[str, Any]:
    """The fields of a cron job. Raises `InvalidCronJob` for what is no number and no JSON; the rest is for others."""
    values: dict[str, Any] = {name: text.strip() for name, text in texts.items()}
    problems: list[FieldProblem] = []
    for name in NUMBERS:
        if values[name].isascii() and values[name].isdecimal() and len(values[name]) < 16:
            values[name] = int(values[name])
        else:
            problems.append(FieldProblem(JSON_NAMES[name], "give a whole number"))
    try:
        values["payload"] = parse_strict_json(texts["payload"])
    except ValueError as error:
        problems.append(FieldProblem("payload", f"it is not JSON: {error}"))
    if problems:
        raise InvalidCronJob(values["job_id"][:200], problems)
    return values


def _told(stored: StoredCronJob | None) -> tuple[str, list[Run]]:
    """In words, and the next runs of one that runs."""
    if stored is None:
        return "", []
    try:
        rule = Cron(stored.pattern, tz=stored.tz)
    except InvalidInput:
        return "", []
    now = datetime.now(UTC)
    runs = rule.upcoming(RUNS_SHOWN, round(now.timestamp() * 1000)) if stored.enabled else []
    times = [datetime.fromtimestamp(run / 1000, UTC) for run in runs]
    return words_of(rule), runs_by_clock(rule, times, now)
