"""A queue that is driven beside its admin."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from corral import Admin
from tests.engine.driver import Driver


@pytest.fixture
async def driver(admin: Admin, queue_name: str) -> AsyncIterator[Driver]:
    """The test's queue, driven call by call."""
    link = await admin.server.link()
    yield Driver(admin.server, link, admin.server.keys(queue_name))
    await link.close()
