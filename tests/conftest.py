"""Fixtures for every suite: a real server, a corner of it for each test, and a check for leaked keys."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import redis
import redis.asyncio

from tests.beside import keep_apart
from tests.servers import KINDS, ServerProcess, program_of

SERVER_VARIABLE = "CORRAL_TEST_SERVERS"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the caller choose the server: `--server=redis7`, or the variable CORRAL_TEST_SERVERS."""
    parser.addoption(
        "--server",
        choices=list(KINDS),
        default=os.environ.get(SERVER_VARIABLE, "valkey"),
        help="the server that tests run against",
    )


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


@pytest.fixture(scope="session")
def server_kind(request: pytest.FixtureRequest) -> str:
    """The kind of server that this run tests against: `valkey`, `redis7` or `redis8`."""
    return str(request.config.getoption("--server"))


@pytest.fixture(scope="session")
def server(server_kind: str) -> Iterator[ServerProcess]:
    """One server for the whole run, without persistence. Never freeze, kill or reconfigure this one."""
    with ServerProcess(server_kind) as process:
        yield process


@pytest.fixture
def make_server(server_kind: str) -> Iterator[Callable[..., ServerProcess]]:
    """Start servers that a test may hurt: `make_server(appendonly="always")`. Closed at the end."""
    made: list[ServerProcess] = []

    def make(**options: Any) -> ServerProcess:
        process = ServerProcess(**{"kind": server_kind, **options})
        made.append(process)
        return process.start()

    yield make
    for process in made:
        process.close()


@pytest.fixture(scope="session")
def redis_url(server: ServerProcess) -> str:
    """The URL of the run's server."""
    return server.url


@pytest.fixture(scope="session")
def _inspector(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def corner(_inspector: redis.Redis) -> Iterator[str]:
    """A text that every key of this test must contain: any other key left behind fails the test."""
    token = f"t{secrets.token_hex(5)}"
    yield token
    left = list(_inspector.scan_iter(count=1000))
    if left:
        _inspector.delete(*left)
    leaked = sorted(key for key in left if token.encode() not in key)
    assert not leaked, f"keys outside of this test's own corner: {leaked[:10]}"


@pytest.fixture
def prefix(corner: str) -> str:
    """A key prefix of this test's own."""
    return f"p-{corner}"


@pytest.fixture
def queue_name(corner: str) -> str:
    """A queue name of this test's own."""
    return f"q-{corner}"


@pytest.fixture
async def raw(redis_url: str, corner: str) -> AsyncIterator[redis.asyncio.Redis]:
    """A plain redis-py client with text replies: looks at keys directly, past the engine."""
    async with redis.asyncio.Redis.from_url(redis_url, decode_responses=True) as client:
        yield client
