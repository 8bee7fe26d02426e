"""What the worker's tests share: a client with a corner of its own, and its queue looked at directly."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from corral import Client
from corral.client.queue import QueueClient


@pytest.fixture
async def client(redis_url: str, prefix: str) -> AsyncIterator[Client]:
    """A client of the run's server."""
    async with Client(redis_url, prefix=prefix) as made:
        yield made


@pytest.fixture
def queue(client: Client, queue_name: str) -> QueueClient:
    """This test's queue through the client."""
    return client.queue(queue_name)
