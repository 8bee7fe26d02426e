"""What every story has: a client of a real server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from corral import Client


@pytest.fixture
async def client(redis_url: str, prefix: str) -> AsyncIterator[Client]:
    """A client whose keys are this test's own, so that queues may have plain names."""
    async with Client(redis_url, prefix=prefix) as client:
        yield client
