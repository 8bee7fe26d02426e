"""Adding a job by a form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from corral.dashboard.changes import Change, Confirmation, Form, text_in
from corral.dashboard.pages import Pages, see, segment
from corral.dashboard.payload_form import PayloadForm, form_fields
from corral.errors import InvalidInput, InvalidOption
from corral.http.access import check_role
from corral.http.action import Action
from corral.http.catalogue import value_for
from corral.http.desk import Desk
from corral.http.problem import Problem

__all__ = ["AddJob"]

OPTIONS: Final = ("job_id", "delay", "priority", "attempts")


class AddJob:
    """The form of a queue's tasks. For admins: it decides which work there is."""

    def __init__(self, desk: Desk, pages: Pages) -> None:
        self._desk = desk
        self._pages = pages

    def changes(self) -> list[Change]:
        """What is sent."""
        return [Change("/queues/{queue}/add", Action.ADD_JOB, self.add)]

    async def ask(self, request: Request) -> Response:
        """The form, with the defaults."""
        check_role(request.scope["corral.principal"], Action.ADD_JOB.role)
        queue, task = segment(request, "queue"), request.query_params.get("task", "")[:1000]
        names = self._names(queue)
        task = task or (names[0] if names else "")
        form = PayloadForm.of(self._desk.catalogue.find(queue, task))
        return self._show(request, task, form.as_json() if request.query_params.get("as") == "json" else form)

    async def add(self, form: Form) -> Response | Confirmation:
        """Add it, or show the form again: with another row of a list, or with what is wrong."""
        request, task = form.request, text_in(form, "task", 1000)
        queue = segment(request, "queue")
        sent = PayloadForm.sent(form_fields(self._desk.catalogue.find(queue, task)), form.fields)
        if "rows" in form.fields:
            return self._show(request, task, sent)
        payload, sent = sent.read()
        if sent.problems:
            return self._show(request, task, sent)
        try:
            spec = form.desk.catalogue.resolve(task, queue)
            ready = spec.request(value_for(spec, payload), _options_of(sent.texts))
            async with form.operator.acting(Action.ADD_JOB, queue, handler=task) as detail:
                handle = await form.desk.client.submit(ready)
                detail["jobId"] = handle.id
        except (InvalidInput, Problem) as error:
            return self._show(request, task, sent.refused(error))
        outcome = "existed" if handle.created is False else "added"
        return see(request, "queues", queue, "jobs", handle.id, outcome=outcome)

    def _show(self, request: Request, task: str, form: PayloadForm) -> Response:
        queue = segment(request, "queue")
        known = form_fields(self._desk.catalogue.find(queue, task)) is not None
        return self._pages.answer(
            request,
            "add_job.html",
            status=form.status,
            queue=queue,
            task=task,
            tasks=self._names(queue),
            other=known,
            **form.shown(),
        )

    def _names(self, queue: str) -> list[str]:
        return [spec.name for spec in self._desk.catalogue.specs if spec.queue == queue]


def _options_of(texts: Mapping[str, str]) -> dict[str, Any]:
    given = {name: texts.get(name, "").strip() for name in OPTIONS}
    found: dict[str, Any] = {"job_id": given["job_id"]} if given["job_id"] else {}
    if given["delay"]:
        if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,3})?", given["delay"]):
            raise InvalidOption("delay", given["delay"], "give seconds, as a number")
        found["delay"] = float(given["delay"])
    for name in ("priority", "attempts"):
        if given[name]:
            if not re.fullmatch("[0-9]{1,12}", given[name]):
                raise InvalidOption(name, given[name], "give a whole number")
            found[name] = int(given[name])
    return found
