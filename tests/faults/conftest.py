"""What the fault suite needs: a witness, workers in processes of their own, and a corner of a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import redis

from corral import SyncClient
from tests.faults.fleet import Fleet
from tests.faults.oracle import Corner
from tests.faults.proxy import Proxy
from tests.faults.witness import Witness
from tests.servers import ServerProcess

LOCK = 1.0
"""Seconds. Short, so that what recovers does so soon."""
STALLED_INTERVAL = 1.0


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[Witness]:
    """The file that handlers write to."""
    made = Witness(tmp_path / "witness")
    yield made
    made.close()


@pytest.fixture
def make_fleet(
    witness: Witness, tmp_path: Path, prefix: str, queue_name: str
) -> Iterator[Callable[..., Fleet]]:
    """Make a fleet on a server: `make_fleet(url, concurrency=10)`. Killed at the end."""
    made: list[Fleet] = []

    def make(url: str, **settings: Any) -> Fleet:
        defaults = {"lock_duration": LOCK, "stalled_interval": STALLED_INTERVAL, "max_stalled": 1}
        fleet = Fleet(
            witness, tmp_path, **{**defaults, "url": url, "prefix": prefix, "queue": queue_name, **settings}
        )
        made.append(fleet)
        return fleet

    yield make
    for fleet in made:
        fleet.close()


@pytest.fixture
def fleet(make_fleet: Callable[..., Fleet], redis_url: str) -> Fleet:
    """Workers on the run's server."""
    return make_fleet(redis_url)


@pytest.fixture
def make_client(prefix: str) -> Iterator[Callable[..., SyncClient]]:
    """Make clients: `make_client(url)`. Closed at the end."""
    with ExitStack() as stack:
        yield lambda url, **options: stack.enter_context(SyncClient(url, prefix=prefix, **options))


@pytest.fixture
def client(make_client: Callable[..., SyncClient], redis_url: str) -> SyncClient:
    """A client of the run's server."""
    return make_client(redis_url)


@pytest.fixture
def make_corner(prefix: str, queue_name: str) -> Iterator[Callable[[str], Corner]]:
    """Look at this test's queue on a server: `make_corner(url)`."""
    with ExitStack() as stack:
        yield lambda url: Corner(stack.enter_context(redis.Redis.from_url(url)), prefix, queue_name)


@pytest.fixture
def looked_at(make_corner: Callable[[str], Corner], redis_url: str) -> Corner:
    """This test's queue on the run's server."""
    return make_corner(redis_url)


@pytest.fixture
def make_proxy() -> Iterator[Callable[[ServerProcess], Proxy]]:
    """Put a proxy before a server: `make_proxy(server)`."""
    with ExitStack() as stack:
        yield lambda server: stack.enter_context(Proxy(server.port))


@pytest.fixture
def proxy(make_proxy: Callable[[ServerProcess], Proxy], server: ServerProcess) -> Proxy:
    """A proxy before the run's server."""
    return make_proxy(server)
