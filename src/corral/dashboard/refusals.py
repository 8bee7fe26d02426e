"""What is answered instead of a page."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from corral.dashboard.pages import Pages
from corral.engine.faults import ResponseError
from corral.errors import CorralError
from corral.http.problem import Problem, damaged_problem, problem_of

__all__ = ["Refusals"]

NO_PAGE: Final = "there is no such page"


class Refusals:
    """Problems as pages. A stranger gets a bare one, that tells nothing of what there is."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def refuse(self, request: Request, problem: Problem) -> Response:
        """The page of a problem."""
        template = "problem.html" if "corral.principal" in request.scope else "refused.html"
        answer = self._pages.answer(request, template, status=problem.status_code, problem=problem)
        answer.headers.update(problem.headers or {})
        return answer

    async def tell(self, request: Request, error: Exception) -> Response:
        """What an error of a page becomes."""
        if isinstance(error, CorralError):
            error = problem_of(error)
        elif isinstance(error, ResponseError):
            error = damaged_problem(error)
        return self.refuse(
            request, error if isinstance(error, Problem) else Problem(404, "not-found", NO_PAGE)
        )
