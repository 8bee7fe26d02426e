"""A queue with a clock in hand for every test of the engine."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from corral.engine.server import Server
from corral.engine.settings import ServerSettings
from tests.engine.driver import Driver
from tests.engine.schedules import Schedules


@pytest.fixture
async def engine(redis_url: str, prefix: str) -> AsyncIterator[Server]:
    """The run's server, as the engine sees it."""
    server = Server(ServerSettings(redis_url, prefix))
    yield server
    await server.close()


@pytest.fixture
async def driver(engine: Server, queue_name: str) -> AsyncIterator[Driver]:
    """A queue of this test's own."""
    link = await engine.link(engine.keys(queue_name))
    yield Driver(engine, link, engine.keys(queue_name))
    await link.close()


@pytest.fixture
def schedules(driver: Driver) -> Schedules:
    """The schedules of the test's queue."""
    return Schedules(driver)
