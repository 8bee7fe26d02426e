"""A service on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.tasks.webhooks.receiver import Receiver, receiving


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Takes notifications by HTTP, or says what a test wants."""
    async with receiving() as made:
        yield made
