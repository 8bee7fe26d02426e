"""API and pages in one program: what `corral serve` serves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Mount, Route

__all__ = ["beside"]


def beside(api: FastAPI, dashboard: Starlette, *, path: str = "/bullBoard") -> Starlette:
    """Both as one application, the pages at their path and the API at all others. Whatever they have opened is closed
    when it ends."""

    async def to_pages(request: Request) -> RedirectResponse:
        return RedirectResponse(f"{quote(request.scope.get('root_path', ''))}{path}/", 307)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await dashboard.state.desk.close()
            await api.state.desk.close()

    both = Starlette(
        routes=[Route(path, to_pages), Mount(path, dashboard), Mount("", api)], lifespan=lifespan
    )
    both.router.redirect_slashes = False
    return both
