"""Fixtures for every suite: a real server, a corner of it for each test with a client and an admin, and a check for
leaked keys."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import redis
import redis.asyncio

from corral import Admin, Client
from corral.admin.queue import QueueAdmin
from corral.client.queue import QueueClient
from tests.beside import keep_apart
from tests.interop.conformance.recorder import Recorder, mark_items
from tests.servers import KINDS, ServerProcess, program_of
from tests.topologies import TOPOLOGIES, Cluster, Watched

pytest_plugins = ["tests.databases"]

SERVER_VARIABLE = "CORRAL_TEST_SERVERS"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the caller choose the server: `--server=redis7`, or the variable CORRAL_TEST_SERVERS."""
    parser.addoption(
        "--server",
        choices=list(KINDS),
        default=os.environ.get(SERVER_VARIABLE, "valkey"),
        help="the server that tests run against",
    )
    parser.addoption("--conformance", type=Path, help="write what was shown of conformance to this file")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to start without the server asked for, and hide the caller's own Redis from the tests."""
    try:
        program_of(str(config.getoption("--server")))
    except LookupError as error:
        raise pytest.UsageError(str(error)) from error
    for name in [name for name in os.environ if name.startswith(("REDIS_", "CORRAL_"))]:
        if name != SERVER_VARIABLE:
            del os.environ[name]
    keep_apart(config)
    page: Path | None = config.getoption("--conformance")
    if page and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Recorder(page))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give tests the cells of conformance that they show; on a cluster or behind sentinels, run only what speaks to
    the run's server, and not what cannot mean anything."""
    mark_items(items)
    kind = str(config.getoption("--server"))
    if kind not in TOPOLOGIES:
        return
    apart = [item for item in items if not _depends_on_topology(item)]
    config.hook.pytest_deselected(items=apart)
    items[:] = [item for item in items if _depends_on_topology(item)]


def _depends_on_topology(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("one_server")
    assert marker is None or marker.args, f"{item.nodeid}: say why it needs a server that stands alone"
    return marker is None and "server" in getattr(item, "fixturenames", ())


@pytest.fixture(scope="session")
def server_kind(request: pytest.FixtureRequest) -> str:
    """The kind of server that this run tests against: one of `tests.servers.KINDS`."""
    return str(request.config.getoption("--server"))


@pytest.fixture(scope="session")
def server(server_kind: str) -> Iterator[ServerProcess | Cluster | Watched]:
    """One server for the whole run, without persistence. Never freeze, kill or reconfigure this one."""
    made = TOPOLOGIES[server_kind]() if server_kind in TOPOLOGIES else ServerProcess(server_kind)
    with made:
        yield made


@pytest.fixture
def make_server(server_kind: str) -> Iterator[Callable[..., ServerProcess]]:
    """Start servers that a test may hurt: `make_server(appendonly="always")`. Closed at the end. They stand alone,
    whatever the run's server is."""
    made: list[ServerProcess] = []
    kind = "valkey" if server_kind in TOPOLOGIES else server_kind

    def make(**options: Any) -> ServerProcess:
        process = ServerProcess(**{"kind": kind, **options})
        made.append(process)
        return process.start()

    yield make
    for process in made:
        process.close()


@pytest.fixture(scope="module")
def counted_server(server_kind: str) -> Iterator[ServerProcess]:
    """A server that nobody else calls."""
    with ServerProcess(server_kind) as process:
        yield process


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Three primaries."""
    with Cluster() as made:
        yield made


@pytest.fixture(scope="session")
def redis_url(server: ServerProcess | Cluster | Watched) -> str:
    """The URL of the run's server, as Corral takes it."""
    return server.url


@pytest.fixture
def home_url(server: ServerProcess | Cluster | Watched, prefix: str) -> str:
    """The URL of the very server that has this test's keys, for other clients."""
    return server.home_of(prefix).url


@pytest.fixture(scope="session")
def _inspectors(server: ServerProcess | Cluster | Watched) -> Iterator[list[redis.Redis]]:
    with ExitStack() as stack:
        yield [stack.enter_context(redis.Redis.from_url(node.url)) for node in server.homes]


@pytest.fixture
def corner(_inspectors: list[redis.Redis]) -> Iterator[str]:
    """A text that every key of this test must contain: any other key left behind fails the test."""
    token = f"t{secrets.token_hex(5)}"
    yield token
    leaked: list[bytes] = []
    for client in _inspectors:
        left = list(client.scan_iter(count=1000))
        with client.pipeline(transaction=False) as pipe:
            for key in left:
                pipe.delete(key)
            pipe.execute()
        leaked += [key for key in left if token.encode() not in key]
    assert not leaked, f"keys outside of this test's own corner: {sorted(leaked)[:10]}"


@pytest.fixture
def prefix(corner: str, server_kind: str) -> str:
    """A key prefix of this test's own; on a cluster with a hash tag."""
    return f"{{p-{corner}}}" if server_kind == "cluster" else f"p-{corner}"


@pytest.fixture
def queue_name(corner: str) -> str:
    """A queue name of this test's own."""
    return f"q-{corner}"


@pytest.fixture
async def raw(home_url: str, corner: str) -> AsyncIterator[redis.asyncio.Redis]:
    """A plain redis-py client with text replies: looks at keys directly, past the engine."""
    async with redis.asyncio.Redis.from_url(home_url, decode_responses=True) as client:
        yield client


@pytest.fixture
async def client(redis_url: str, prefix: str) -> AsyncIterator[Client]:
    """A client on the test's prefix, so that queues may have plain names."""
    async with Client(redis_url, prefix=prefix) as client:
        yield client


@pytest.fixture
def produced(client: Client, queue_name: str) -> QueueClient:
    """The test's queue as a producer sees it."""
    return client.queue(queue_name)


@pytest.fixture
async def admin(redis_url: str, prefix: str) -> AsyncIterator[Admin]:
    """An admin on the test's prefix."""
    async with Admin(redis_url, prefix=prefix) as admin:
        yield admin


@pytest.fixture
def operated(admin: Admin, queue_name: str) -> QueueAdmin:
    """The test's queue as its operator sees it."""
    return admin.queue(queue_name)
