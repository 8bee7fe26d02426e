"""The gate: every request passes it before any route is looked for, so that no route can be left open."""

from __future__ import annotations

import math
from typing import Any, Final

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from corral.errors import CorralError
from corral.http.access import Authenticate, Principal
from corral.http.body_limit import check_length, limited
from corral.http.origin import from_elsewhere
from corral.http.paths import path_as_sent
from corral.http.problem import Problem, problem_of, problem_response
from corral.http.throttle import Throttle

__all__ = ["HEALTH", "Gate"]

HEALTH: Final = "/healthz"
"""The one path that anybody may ask for."""

HEADERS: Final = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


class Gate:
    """Asks who sends a request, and lets in those that are known: `scope["corral.principal"]`. All others get 401, or
    429 after too many attempts, whatever the path, and before the body is read.

    Every answer forbids caching and guessing at its type. There are no CORS headers: pages of other sites read nothing.
    """

    def __init__(self, app: ASGIApp, *, authenticate: Authenticate, throttle: Throttle) -> None:
        self._app = app
        self._authenticate = authenticate
        self._throttle = throttle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        inside: dict[str, Any] = {**scope, "path": path_as_sent(dict(scope))}
        answer: ASGIApp = self._app
        try:
            inside["corral.principal"] = await self._admit(inside)
        except Problem as problem:
            answer = problem_response(problem)
        except CorralError as error:
            answer = problem_response(problem_of(error))
        await answer(inside, limited(receive), send_with_headers)

    async def _admit(self, scope: Scope) -> Principal | None:
        """Whoever it is. Raises `Problem`."""
        connection = HTTPConnection(scope)
        check_length(connection)
        if scope["path"].removeprefix(scope.get("root_path", "")) == HEALTH:
            return None
        if from_elsewhere(scope["method"], connection.headers):
            raise Problem(403, "other-site", "changes are not taken from pages of other sites")
        credentials = connection.headers.get("authorization", "")
        address = connection.client.host if connection.client else ""
        if wait := self._throttle.wait(address, credentials):
            raise Problem(
                429,
                "too-many-attempts",
                "too many attempts with wrong credentials: wait, then try again",
                headers={"Retry-After": str(math.ceil(wait))},
            )
        who = await self._authenticate(connection)
        if who is None:
            if credentials:
                self._throttle.failed(address)
            raise Problem(
                401,
                "not-authenticated",
                "send a token that is valid: Authorization: Bearer …; `corral token create` makes one",
                headers={"WWW-Authenticate": 'Bearer realm="corral"'},
            )
        if credentials:
            self._throttle.succeeded(credentials)
        return who
