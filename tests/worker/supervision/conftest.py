"""Where supervised children report."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.worker.supervision.nursery import Nursery


@pytest.fixture
async def nursery() -> AsyncIterator[Nursery]:
    """Where children report."""
    async with Nursery() as nursery:
        yield nursery
