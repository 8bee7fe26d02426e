"""JWKS: the public halves of the keys that deliveries are signed with, where receivers look for them (RFC 7517)."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from corral.errors import DatabaseUnavailable
from corral.tasks.webhooks.webhooks import Webhooks

__all__ = ["jwks_route"]

PATH: Final = "/.well-known/jwks.json"


def jwks_route(webhooks: Webhooks, path: str = PATH) -> Route:
    """A route that answers with `Webhooks.jwks`, for anybody, or 503
    while the database is away: ``FastAPI(routes=[jwks_route(webhooks)])``, or
    ``app.router.routes.append(jwks_route(webhooks))``."""

    async def jwks(_: Request) -> Response:
        try:
            found = await webhooks.jwks()
        except DatabaseUnavailable:
            return Response("keys cannot be read", 503, {"Retry-After": "5"})
        # A new key signs at once: an answer that is kept somewhere would not have it.
        return JSONResponse(
            found, headers={"Cache-Control": "no-cache"}, media_type="application/jwk-set+json"
        )

    return Route(path, jwks, methods=["GET"])
