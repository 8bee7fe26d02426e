"""An admin, and a client beside it, on the run's server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from corral.admin.admin import Admin
from corral.admin.queue import QueueAdmin
from corral.client.client import Client
from corral.client.queue import QueueClient


@pytest.fixture
async def admin(redis_url: str, prefix: str) -> AsyncIterator[Admin]:
    """An admin on the test's prefix."""
    async with Admin(redis_url, prefix=prefix) as admin:
        yield admin


@pytest.fixture
def operated(admin: Admin, queue_name: str) -> QueueAdmin:
    """The test's queue as its operator sees it."""
    return admin.queue(queue_name)


@pytest.fixture
async def client(redis_url: str, prefix: str) -> AsyncIterator[Client]:
    """A client on the test's prefix."""
    async with Client(redis_url, prefix=prefix) as client:
        yield client


@pytest.fixture
def produced(client: Client, queue_name: str) -> QueueClient:
    """The test's queue as a producer sees it."""
    return client.queue(queue_name)
