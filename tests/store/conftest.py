"""A database for each test, of each kind, and a clock that tests move."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from corral.admin.admin import Admin
from corral.client.client import Client
from corral.store.database import Database
from tests.postgres import PostgresServer


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def forward(self, **time: float) -> None:
        """Let time pass."""
        self.now += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One PostgreSQL for the whole run."""
    with PostgresServer() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The URL of an empty database of this test's own: SQLite, and PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/corral.db"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = f"t{secrets.token_hex(6)}"
    master = await asyncpg.connect(server.url("postgres"))
    await master.execute(f"CREATE DATABASE {name}")
    yield server.url(name)
    await master.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await master.close()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A database with its tables."""
    async with Database(database_url) as database:
        await database.migrate()
        yield database


@pytest.fixture
async def client(redis_url: str, prefix: str) -> AsyncIterator[Client]:
    """A client on the test's prefix."""
    async with Client(redis_url, prefix=prefix) as client:
        yield client


@pytest.fixture
async def admin(redis_url: str, prefix: str) -> AsyncIterator[Admin]:
    """An admin on the test's prefix."""
    async with Admin(redis_url, prefix=prefix) as admin:
        yield admin
