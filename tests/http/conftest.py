"""An API on the run's server, and people who may ask it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI

from corral.admin.admin import Admin
from corral.client.client import Client
from corral.client.queue import QueueClient
from corral.http.access import Principal, Tokens, by_token
from corral.http.app import create_api
from corral.store.roles import Role
from tests.http.tasks import ALL_TASKS

Caller = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


class FixedTokens(Tokens):
    """One token for each role, with the role's name as its text."""

    async def verify(self, text: str, /) -> Principal | None:
        """Who has the token."""
        return Principal(f"the {text}", Role(text)) if text in list(Role) else None


@pytest.fixture
async def admin(redis_url: str, prefix: str) -> AsyncIterator[Admin]:
    """An admin on the test's prefix."""
    async with Admin(redis_url, prefix=prefix) as admin:
        yield admin


@pytest.fixture
async def client(redis_url: str, prefix: str) -> AsyncIterator[Client]:
    """A client on the test's prefix."""
    async with Client(redis_url, prefix=prefix) as client:
        yield client


@pytest.fixture
def produced(client: Client, queue_name: str) -> QueueClient:
    """The test's queue as a producer sees it."""
    return client.queue(queue_name)


@pytest.fixture
async def api(admin: Admin, client: Client) -> AsyncIterator[FastAPI]:
    """The API, with the tasks of `tests.http.tasks`."""
    api = create_api(admin, authenticate=by_token(FixedTokens()), tasks=ALL_TASKS, client=client)
    yield api
    await api.state.desk.close()


@pytest.fixture
def caller(api: FastAPI) -> Caller:
    """Speak to the API: `async with caller(Role.VIEWER) as http: …`, or as nobody: `caller(None)`."""

    @asynccontextmanager
    async def call(role: Role | None = Role.ADMIN, app: FastAPI = api) -> AsyncIterator[httpx.AsyncClient]:
        headers = {} if role is None else {"Authorization": f"Bearer {role}"}
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://corral", headers=headers) as http:
            yield http

    return call


@pytest.fixture
async def http(caller: Caller) -> AsyncIterator[httpx.AsyncClient]:
    """An admin who speaks to the API."""
    async with caller(Role.ADMIN) as http:
        yield http
