"""What the pages change: each is a form that is sent, a line in the operator log, and the page again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from corral.dashboard.pages import Pages
from corral.http.action import Action, Operator
from corral.http.desk import Desk
from corral.http.problem import Problem

__all__ = ["Change", "Changes", "Confirmation", "Form", "ids_in", "text_in"]

MOST_FIELDS: Final = 2000
LONGEST_FIELD: Final = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What to ask before it is done: the number of jobs first, or in words what will happen; `back` is for those who
    think better of it."""

    question: str
    button: str
    number: int | None = None
    consequence: str = ""
    back: str = ""


class Form:
    """What was sent: the request, its fields, who sent it, and what they work with."""

    def __init__(self, request: Request, fields: FormData, operator: Operator, desk: Desk) -> None:
        self.request = request
        self.fields = fields
        self.operator = operator
        self.desk = desk

    @property
    def confirmed(self) -> bool:
        """Whether they have said yes to the question."""
        return self.fields.get("confirmed") == "yes"


Outcome = Response | Confirmation


class Carry(Protocol):
    """Does one change."""

    def __call__(self, form: Form, /) -> Awaitable[Outcome]:
        """Do it, or say what to ask first."""
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that can be done, where its form is sent to, and as which action it counts: that names the role."""

    path: str
    action: Action
    carry: Carry


class Changes:
    """The routes of changes. The role is checked here, before any field is looked at, for all of them alike."""

    def __init__(self, desk: Desk, pages: Pages) -> None:
        self._desk = desk
        self._pages = pages

    def routes(self, changes: list[Change]) -> list[Route]:
        """One route each, for forms that are sent and nothing else."""
        return [Route(change.path, self._endpoint(change), methods=["POST"]) for change in changes]

    def _endpoint(self, change: Change) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            operator = self._desk.operator(request.scope["corral.principal"])
            await operator.require(change.action, f"{request.method} {request.scope['path']}")
            async with request.form(
                max_files=0, max_fields=MOST_FIELDS, max_part_size=LONGEST_FIELD
            ) as fields:
                outcome = await change.carry(Form(request, fields, operator, self._desk))
                if isinstance(outcome, Response):
                    return outcome
                return self._pages.answer(
                    request,
                    "confirm.html",
                    asked=outcome,
                    fields=list(fields.multi_items()),
                    back=outcome.back or _back(request),
                )

        return endpoint


def text_in(form: Form, name: str, longest: int = 10_000) -> str:
    """A field's text, cut; empty when it was not sent."""
    value: Any = form.fields.get(name, "")
    return value[:longest] if isinstance(value, str) else ""


def ids_in(form: Form) -> list[str]:
    """The jobs that were chosen. Raises `Problem` 422 when there are none."""
    found = [value for value in form.fields.getlist("id") if isinstance(value, str)]
    if not found:
        raise Problem(422, "nothing-chosen", "choose some jobs first")
    return found


def _back(request: Request) -> str:
    """The page that is above this path: where to go when somebody thinks better of it."""
    path: str = request.scope["path"]
    return path.rpartition("/")[0] or "/"
