"""Look-ups of names: one that hangs holds up nobody but other names."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from typing import Any

import pytest

from corral.tasks.webhooks.resolving import SystemResolver

TAR = "tar.example"


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], int]]:
    """Look-ups of `TAR` hang until the test ends. Says how many do."""
    ended, begun, asked = threading.Event(), list[str](), socket.getaddrinfo

    def look_up(host: Any, *rest: Any, **more: Any) -> Any:
        if host == TAR:
            begun.append(host)
            ended.wait(30)
        return asked("127.0.0.1" if host == TAR else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield lambda: len(begun)
    ended.set()


async def test_a_name_server_that_lets_wait(stuck: Callable[[], int]) -> None:
    """However many look-ups hang, at most so many threads wait for them, and those of the loop are free."""
    resolver = SystemResolver(at_once=2)
    hanging = [asyncio.create_task(resolver(TAR, 443)) for _ in range(100)]
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(resolver("localhost", 443), 0.2)
    loop = asyncio.get_running_loop()
    assert await asyncio.wait_for(loop.getaddrinfo("127.0.0.1", 443), 10)
    assert stuck() == 2
    for one in hanging:
        one.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)
    resolver.close()


async def test_addresses_come_in_order() -> None:
    """Each once."""
    resolver = SystemResolver()
    assert await resolver("127.0.0.1", 443) == [ip_address("127.0.0.1")]
    with pytest.raises(OSError, match=r"\S"):
        await resolver("nowhere.invalid", 443)
    resolver.close()
