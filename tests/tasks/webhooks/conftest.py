"""A receiver, and an egress that may reach it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from ipaddress import ip_network

import pytest

from corral.tasks.webhooks import Egress, Poster
from tests.tasks.webhooks.receiver import Receiver, receiving

HERE = Egress(schemes=frozenset({"http", "https"}), ports=frozenset(), networks=[ip_network("127.0.0.0/8")])


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver on this machine."""
    async with receiving() as made:
        yield made


@pytest.fixture
async def poster() -> AsyncIterator[Poster]:
    """A poster that may reach this machine, and waits no longer than a second."""
    async with Poster(HERE, timeout=1) as made:
        yield made
