"""The admin: a door to every queue under a prefix."""

from __future__ import annotations

import pytest

from corral.admin.admin import Admin
from corral.client.client import Client
from corral.errors import InvalidQueueName, ServerUnavailable


async def test_queues(admin: Admin, client: Client, queue_name: str) -> None:
    """All queues under the prefix are listed, sorted."""
    for name in ("b", "a"):
        await client.queue(f"{queue_name}-{name}").enqueue("x")
    assert await admin.queues() == [f"{queue_name}-a", f"{queue_name}-b"]


def test_a_queue_name_is_checked(admin: Admin) -> None:
    """A name that no queue can have is refused before anything is asked of the server."""
    with pytest.raises(InvalidQueueName, match="colon"):
        admin.queue("a:b")


async def test_no_server(prefix: str) -> None:
    """A server that is not there is said to be unavailable, in time."""
    async with Admin("redis://127.0.0.1:1", prefix=prefix, timeout=0.2) as admin:
        with pytest.raises(ServerUnavailable):
            await admin.queue("q").pause()
