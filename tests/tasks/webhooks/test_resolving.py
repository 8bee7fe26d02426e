"""Look-ups of names: one that hangs holds up nobody but other names."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from typing import Any

import pytest

from corral.tasks.errors import LookUpsBusy
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
    """However many look-ups hang, at most so many threads wait for them, and those of the loop are free. Who
    finds none is told so."""
    resolver = SystemResolver(at_once=2, patience=0.05)
    hanging = [asyncio.create_task(resolver(TAR, 443)) for _ in range(100)]
    with pytest.raises(LookUpsBusy, match="localhost"):
        await asyncio.wait_for(resolver("localhost", 443), 10)
    loop = asyncio.get_running_loop()
    assert await asyncio.wait_for(loop.getaddrinfo("127.0.0.1", 443), 10)
    assert stuck() == 2
    for one in hanging:
        one.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)
    resolver.close()


async def test_one_host_leaves_room_for_others(stuck: Callable[[], int]) -> None:
    """Look-ups of one host that hang hold up those of the same host alone, also when nobody waits for them any more."""
    resolver = SystemResolver(at_once=3, of_one_host=2, patience=0.05)
    for _ in range(2):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(resolver(TAR, 443), 0.2)
    assert stuck() == 2
    for _ in range(2):
        with pytest.raises(LookUpsBusy):
            await resolver(TAR, 443)
        assert await resolver("127.0.0.1", 443) == [ip_address("127.0.0.1")]
    resolver.close()


async def test_addresses_come_in_order() -> None:
    """Each once."""
    resolver = SystemResolver(at_once=1)
    assert await resolver("127.0.0.1", 443) == [ip_address("127.0.0.1")]
    with pytest.raises(OSError, match=r"\S"):
        await resolver("nowhere.invalid", 443)
    resolver.close()
