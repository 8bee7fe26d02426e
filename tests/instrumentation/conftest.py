"""What the tests of instrumentation share: a client and an admin of one corner."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from corral import Admin, Client


@pytest.fixture
async def client(redis_url: str, prefix: str) -> AsyncIterator[Client]:
    """A client of the run's server."""
    async with Client(redis_url, prefix=prefix) as made:
        yield made


@pytest.fixture
async def admin(redis_url: str, prefix: str) -> AsyncIterator[Admin]:
    """An admin of the same corner."""
    async with Admin(redis_url, prefix=prefix) as made:
        yield made
