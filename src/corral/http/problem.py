"""What goes wrong, as problem documents (RFC 9457): one mapping from errors to status, type and fields."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException as AnyHTTPException

from corral import errors
from corral.engine.faults import ResponseError, is_wrong_type
from corral.errors import CorralError

__all__ = [
    "Problem",
    "ProblemModel",
    "answer_with_problems",
    "damaged_problem",
    "problem_of",
    "problem_response",
]

KIND: Final = "urn:corral:problem:"

STATUS: Final[Mapping[type[CorralError], int]] = {
    errors.PayloadTooLarge: 413,
    errors.InvalidInput: 422,
    errors.UnknownTask: 422,
    errors.JobGone: 404,
    errors.WorkerGone: 404,
    errors.CronJobGone: 404,
    errors.CronJobChanged: 409,
    errors.CronJobTaken: 409,
    errors.JobError: 409,
    errors.QueueError: 409,
    errors.EventsTrimmed: 410,
    errors.ServerError: 503,
    errors.StoreError: 503,
    errors.CorralError: 500,
}
"""The status of an error is that of the nearest class above it."""


class FieldError(BaseModel):
    """One thing that is wrong inside a request."""

    path: str = Field(examples=["payload.to"])
    message: str = Field(examples=["Field required"])


class ProblemModel(BaseModel):
    """What went wrong (RFC 9457). Further fields depend on the type."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:corral:problem:job-gone"])
    title: str = Field(examples=["Job gone"])
    status: int = Field(examples=[404])
    detail: str = Field(
        examples=["job 42 is not kept: it was removed, trimmed after it finished, or never added"]
    )
    errors: list[FieldError] | None = None


class Problem(HTTPException):
    """An answer that says what is wrong: its kind in words with dashes, and fields of its own."""

    def __init__(
        self, status: int, kind: str, detail: str, *, headers: Mapping[str, str] | None = None, **fields: Any
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.kind = kind
        self.fields = fields


def problem_of(error: CorralError) -> Problem:
    """How an error of Corral's is told."""
    status = next(STATUS[one] for one in type(error).__mro__ if one in STATUS)
    kind = re.sub(r"(?<!^)(?=[A-Z])", "-", type(error).__name__).lower()
    headers = {"Retry-After": "1"} if status == HTTPStatus.SERVICE_UNAVAILABLE else None
    return Problem(status, kind, str(error), headers=headers, **_fields_of(error))


def _fields_of(error: CorralError) -> dict[str, Any]:
    if isinstance(error, errors.InvalidPayload):
        places = [(f"payload.{one.path}".strip("."), one.message) for one in error.problems]
        return {"errors": [{"path": path, "message": message} for path, message in places]}
    if isinstance(error, errors.InvalidCronJob):
        return {"errors": [{"path": one.path, "message": one.message} for one in error.problems]}
    if isinstance(error, errors.InvalidOption):
        return {"errors": [{"path": error.option, "message": error.reason}]}
    if isinstance(error, errors.InvalidSchedule):
        return {"errors": [{"path": error.field, "message": error.reason}]}
    if isinstance(error, errors.JobNotInState):
        return {"jobId": error.job_id, "state": error.state, "allowed": list(error.allowed)}
    if isinstance(error, errors.JobError) and (job_id := getattr(error, "job_id", None)) is not None:
        return {"jobId": job_id}
    if isinstance(error, errors.QueueActive):
        return {"queue": error.queue, "active": error.active}
    return {}


def problem_response(problem: Problem) -> JSONResponse:
    """The answer to a request that has a problem."""
    title = problem.kind.replace("-", " ").capitalize()
    content = {
        "type": KIND + problem.kind,
        "title": title,
        "status": problem.status_code,
        "detail": problem.detail,
    }
    return JSONResponse(
        content | problem.fields, problem.status_code, problem.headers, media_type="application/problem+json"
    )


def damaged_problem(error: ResponseError) -> Problem:
    """What is told of a key of the wrong type. Raises the error itself where it says something else."""
    if not is_wrong_type(error):
        raise error
    detail = f"a key of this queue is not as BullMQ makes it: another program has written there ({str(error)[:200]})"
    return Problem(409, "queue-damaged", detail)


def answer_with_problems(app: FastAPI) -> None:
    """Let every error of this application leave as a problem document."""
    app.add_exception_handler(CorralError, _corral)
    app.add_exception_handler(ResponseError, _damaged)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(AnyHTTPException, _http)
    app.add_exception_handler(Exception, _defect)


async def _corral(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, CorralError)
    problem = problem_of(error)
    if problem.status_code == HTTPStatus.INTERNAL_SERVER_ERROR:
        raise error
    return problem_response(problem)


async def _damaged(_: Request, error: Exception) -> JSONResponse:
    """A key of another type than BullMQ gives it, wherever it was met: the queue is at fault, not this program."""
    assert isinstance(error, ResponseError)
    return problem_response(damaged_problem(error))


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    found = [(_place(one["loc"]), str(one["msg"])) for one in error.errors()]
    detail = "; ".join(f"{path}: {message}" for path, message in found)
    return problem_response(
        Problem(
            422, "invalid-request", detail, errors=[{"path": path, "message": text} for path, text in found]
        )
    )


def _place(location: Sequence[int | str]) -> str:
    """Where it is wrong. The body is what the caller speaks of; the others are named: `query.limit`."""
    path = ""
    for step in location[1:] if location[0] == "body" and len(location) > 1 else location:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return path


async def _http(_: Request, error: Exception) -> JSONResponse:
    if isinstance(error, Problem):
        return problem_response(error)
    assert isinstance(error, AnyHTTPException)
    kind = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
    return problem_response(Problem(error.status_code, kind, str(error.detail), headers=error.headers))


async def _defect(_: Request, __: Exception) -> JSONResponse:
    """What should not happen: whoever serves us logs all of it, the caller learns nothing but that it did."""
    return problem_response(Problem(500, "defect", "this is a defect of the server: its log says more"))
