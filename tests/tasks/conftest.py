"""What ready-made tasks need: a client and an admin of the run's server, and a database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from corral import Admin, Client
from corral.store.database import Database


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


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A database with Corral's tables."""
    async with Database(f"sqlite:///{tmp_path / 'corral.db'}") as database:
        await database.migrate()
        yield database
