"""The gate of the pages: every request passes it, whatever it asks for."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from corral.dashboard.access import REMEDY, Access
from corral.errors import CorralError
from corral.http.access import Principal
from corral.http.body_limit import check_length, limited
from corral.http.origin import SAFE_METHODS, from_elsewhere
from corral.http.paths import path_as_sent
from corral.http.problem import Problem, problem_of
from corral.http.throttle import Throttle

__all__ = ["Gate"]

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Gate:
    """Lets in whom `access` knows, and takes changes only from our own pages, basic auth or not: a browser sends its
    credentials along wherever a form comes from. Every answer forbids scripts that are not ours."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        access: Access,
        throttle: Throttle,
        refuse: Callable[[Request, Problem], Response],
    ) -> None:
        self._app = app
        self._refuse = refuse
        self._access = access
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
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        inside: dict[str, Any] = {**scope, "path": path_as_sent(dict(scope))}
        answer: ASGIApp = self._app
        try:
            inside["corral.principal"] = await self._admit(scope)
        except Problem as problem:
            answer = self._refuse(Request(inside), problem)
        except CorralError as error:
            answer = self._refuse(Request(inside), problem_of(error))
        await answer(inside, limited(receive), send_with_headers)

    async def _admit(self, scope: Scope) -> Principal:
        connection = HTTPConnection(scope)
        check_length(connection)
        if not _is_from_our_pages(scope["method"], connection.headers):
            raise Problem(403, "other-site", "changes are taken only from the pages of this dashboard")
        credentials = connection.headers.get("authorization", "")
        address = connection.client.host if connection.client else ""
        if wait := self._throttle.wait(address, credentials):
            seconds = str(math.ceil(wait))
            detail = "too many attempts with wrong credentials: wait, then try again"
            raise Problem(429, "too-many-attempts", detail, headers={"Retry-After": seconds})
        who = await self._access.admit(connection)
        if who is None:
            if credentials:
                self._throttle.failed(address)
            raise self._stranger()
        if credentials:
            self._throttle.succeeded(credentials)
        return who

    def _stranger(self) -> Problem:
        if not self._access.asks:
            return Problem(403, "disabled", f"the dashboard is disabled here: {REMEDY}")
        if self._access.wants_password:
            asking = {"WWW-Authenticate": 'Basic realm="Corral", charset="UTF-8"'}
            return Problem(401, "not-authenticated", "name and password, please", headers=asking)
        return Problem(401, "not-authenticated", "you are not known here: sign in first")


def _is_from_our_pages(method: str, headers: Headers) -> bool:
    """Whether a change is. Every browser says where a form comes from, so one that does not say it is refused."""
    if method in SAFE_METHODS:
        return True
    says = "sec-fetch-site" in headers or "origin" in headers
    return says and not from_elsewhere(method, headers)
