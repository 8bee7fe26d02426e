"""Bodies as strict JSON: what FastAPI's own reading would let through (NaN, a key twice) is refused, with the place."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from corral.contracts.strict_json import parse_strict_json
from corral.http.problem import Problem

__all__ = ["Resource"]

_PLACE = re.compile(r" at line (\d+) column (\d+)\Z")


class Resource(APIRoute):
    """A route whose body is strict JSON. Raises `Problem` 400, `malformed-json`, with line and column."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of FastAPI, given a request that reads strictly."""
        handle = super().get_route_handler()

        async def handle_strictly(request: Request) -> Response:
            return await handle(_StrictRequest(request.scope, request.receive))

        return handle_strictly


class _StrictRequest(Request):
    async def json(self) -> Any:
        try:
            return parse_strict_json(await self.body())
        except ValueError as error:
            raise _malformed(str(error)) from None


def _malformed(reason: str) -> Problem:
    place = _PLACE.search(reason)
    fields: dict[str, Any] = {} if place is None else {"line": int(place[1]), "column": int(place[2])}
    return Problem(400, "malformed-json", f"the body is not JSON: {reason}", **fields)
