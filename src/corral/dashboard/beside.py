"""API and pages in one program: what `corral serve` serves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.responses import RedirectResponse
from starlette.routing import Mount, Route

__all__ = ["PATH", "beside"]

PATH: Final = "/bullBoard"
"""Where the pages are."""


def beside(api: FastAPI, dashboard: Starlette) -> Starlette:
    """Both as one application, the pages at their path and the API at all others. Whatever they have opened is closed
    when it ends."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await dashboard.state.desk.close()
            await api.state.desk.close()

    to_pages = Route(PATH, RedirectResponse(f"{PATH}/", 307))
    both = Starlette(routes=[to_pages, Mount(PATH, dashboard), Mount("", api)], lifespan=lifespan)
    both.router.redirect_slashes = False
    return both
