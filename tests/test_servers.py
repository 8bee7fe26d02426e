"""The servers that tests run against behave as the tests expect."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import redis
import redis.asyncio

from tests.servers import ServerProcess


async def test_raw_speaks_to_the_runs_server(raw: redis.asyncio.Redis, prefix: str) -> None:
    """`raw` answers with text, and a key under the test's prefix is no leak."""
    await raw.set(f"{prefix}:k", "v")
    assert await raw.get(f"{prefix}:k") == "v"


@pytest.mark.parametrize("unix_socket", [False, True])
def test_a_killed_server_keeps_its_data(make_server: Callable[..., ServerProcess], unix_socket: bool) -> None:
    """After kill -9 and a restart, the address is the same and under appendonly=always nothing is lost."""
    server = make_server(appendonly="always", password="secret", unix_socket=unix_socket)
    url = server.url
    with redis.Redis.from_url(url) as client:
        client.set("k", "v")
    server.kill9()
    server.start()
    with redis.Redis.from_url(url) as client:
        assert client.get("k") == b"v"


def test_a_frozen_server_is_silent(make_server: Callable[..., ServerProcess]) -> None:
    """Between freeze and thaw nothing is answered; afterwards everything is."""
    server = make_server()
    server.freeze()
    with redis.Redis.from_url(server.url, socket_timeout=0.2) as client, pytest.raises(redis.TimeoutError):
        client.ping()
    server.thaw()
    with redis.Redis.from_url(server.url) as client:
        assert client.ping()


def test_a_server_that_cannot_start_says_why(make_server: Callable[..., ServerProcess]) -> None:
    """A wrong option fails at once, with the server's own words."""
    with pytest.raises(AssertionError, match="no-such-option"):
        make_server(args=["--no-such-option", "1"])
