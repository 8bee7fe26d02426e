"""A database for each test that asks for one: SQLite, and a PostgreSQL of the run's own."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from corral.store.database import Database
from tests.postgres import PostgresServer


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
