"""An API on the run's server, and people who may ask it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from corral.admin.admin import Admin
from corral.client.client import Client
from corral.http.app import create_api
from corral.store.database import Database
from corral.store.roles import Role
from corral.store.tokens import Tokens
from tests.http.tasks import ALL_TASKS

Caller = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@dataclass(frozen=True)
class Secrets:
    """A database that is ready, as a file to copy, and the token of each role in it."""

    file: Path
    tokens: dict[Role, str]

    def headers(self, role: Role) -> dict[str, str]:
        """What somebody with this role sends."""
        return {"Authorization": f"Bearer {self.tokens[role]}"}


@pytest.fixture(scope="session")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Secrets:
    """Made once: a migration takes longer than most tests."""
    file = tmp_path_factory.mktemp("store") / "corral.db"

    async def make() -> dict[Role, str]:
        async with Database(f"sqlite:///{file}") as database:
            await database.migrate()
            return {role: await Tokens(database).create(f"the {role}", role) for role in Role}

    return Secrets(file, asyncio.run(make()))


@pytest.fixture
def database_url(secrets: Secrets, tmp_path: Path) -> str:
    """A database of this test's own, with a token for each role."""
    return f"sqlite:///{shutil.copy(secrets.file, tmp_path / 'corral.db')}"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The same, opened."""
    async with Database(database_url) as database:
        yield database


@pytest.fixture
async def api(admin: Admin, client: Client, database: Database) -> AsyncIterator[FastAPI]:
    """The API, with the tasks of `tests.http.tasks`."""
    api = create_api(admin, database=database, tasks=ALL_TASKS, client=client)
    yield api
    await api.state.desk.close()


@pytest.fixture
def caller(api: FastAPI, secrets: Secrets) -> Caller:
    """Speak to the API: `async with caller(Role.VIEWER) as http: …`, or as nobody: `caller(None)`."""

    @asynccontextmanager
    async def call(role: Role | None = Role.ADMIN, app: FastAPI = api) -> AsyncIterator[httpx.AsyncClient]:
        headers = {} if role is None else secrets.headers(role)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://corral", headers=headers) as http:
            yield http

    return call


@pytest.fixture
async def http(caller: Caller) -> AsyncIterator[httpx.AsyncClient]:
    """An admin who speaks to the API."""
    async with caller(Role.ADMIN) as http:
        yield http
