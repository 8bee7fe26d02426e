"""The pages on the run's server, and people who open them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import HTTPConnection

from corral import Admin, Client
from corral.dashboard.app import create_dashboard
from corral.http.access import Principal
from corral.store.roles import Role
from tests.dashboard.tasks import letters

Visitor = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]
OUR_PAGE = {"Sec-Fetch-Site": "same-origin"}


async def seen(browser: httpx.AsyncClient, form: str) -> dict[str, str]:
    """What a form sends of itself: which payload it showed."""
    page = (await browser.get(form)).text
    return {"seen": re.findall(r'name="seen" value="(\w+)"', page)[0]}


async def by_role(connection: HTTPConnection) -> Principal | None:
    """A hook that takes people at their word."""
    role = connection.headers.get("x-role")
    return Principal(f"the {role}", Role(role)) if role else None


@pytest.fixture
async def dashboard(admin: Admin, client: Client, queue_name: str) -> AsyncIterator[Starlette]:
    """The pages, with a hook that knows every role."""
    made = create_dashboard(
        admin, client=client, authenticate=by_role, tasks=[letters(queue_name)], environment={}
    )
    yield made
    await made.state.desk.close()


@pytest.fixture
def visitor(dashboard: Starlette) -> Visitor:
    """Somebody with a browser: `async with visitor(Role.VIEWER) as browser: …`; None for a stranger."""

    @asynccontextmanager
    async def visit(
        role: Role | None = Role.ADMIN, app: Starlette = dashboard
    ) -> AsyncIterator[httpx.AsyncClient]:
        headers = OUR_PAGE if role is None else {**OUR_PAGE, "x-role": role.value}
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://corral", headers=headers
        ) as browser:
            yield browser

    return visit


@pytest.fixture
async def browser(visitor: Visitor) -> AsyncIterator[httpx.AsyncClient]:
    """An admin's browser."""
    async with visitor() as browser:
        yield browser
