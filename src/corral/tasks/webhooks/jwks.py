"""JWKS: the public halves of the keys that deliveries are signed with, where receivers look for them (RFC 7517)."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from corral.errors import DatabaseUnavailable
from corral.tasks.webhooks.webhooks import Webhooks

__all__ = ["jwks_route"]

PATH: Final = "/.well-known/jwks.json"


def jwks_route(webhooks: Webhooks, path: str = PATH) -> Route:
    """A route that answers anybody with `Webhooks.jwks`, 304 where they have it already, and 503 while the database is
    away: ``FastAPI(routes=[jwks_route(webhooks)])``, or
    ``app.router.routes.append(jwks_route(webhooks))``."""

    async def jwks(request: Request) -> Response:
        try:
            found = await webhooks.published_keys.document()
        except DatabaseUnavailable:
            return Response("keys cannot be read", 503, {"Retry-After": "5"})
        # A new key signs at once: an answer that is kept somewhere is not to be used before it was asked for again.
        headers = {"Cache-Control": "no-cache", "ETag": found.etag}
        had = request.headers.get("if-none-match", "").split(",")
        if found.etag in [tag.strip().removeprefix("W/") for tag in had]:
            return Response(status_code=304, headers=headers)
        return Response(found.body, headers=headers, media_type="application/jwk-set+json")

    return Route(path, jwks, methods=["GET"])
