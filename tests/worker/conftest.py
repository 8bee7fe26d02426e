"""What the worker's tests share: their queue."""

from __future__ import annotations

import pytest

from corral import Client
from corral.client.queue import QueueClient


@pytest.fixture
def queue(client: Client, queue_name: str) -> QueueClient:
    """This test's queue through the client."""
    return client.queue(queue_name)
