"""Resolving: the addresses of a name, looked up beside everything else that the program does."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from ipaddress import ip_address
from typing import Final

from corral.tasks.errors import LookUpsBusy
from corral.tasks.webhooks.egress import Address

__all__ = ["Resolve", "SystemResolver"]

AT_ONCE: Final = 16
OF_ONE_HOST: Final = 4
PATIENCE: Final = 1.0
"""Seconds that a look-up waits for its turn."""

Resolve = Callable[[str, int], Awaitable[list[Address]]]
"""Finds the addresses of a host. Raises `OSError`."""


class SystemResolver:
    """Asks the system's resolver, in threads of its own, at most sixteen look-ups at a time, and four of one host.

    The system's call cannot be cut off: a name server that lets everybody wait would fill the threads that a loop
    shares with all the program. Here it holds up other names, and nothing else; and those are told so, since it is
    not their receivers that are to blame.
    """

    def __init__(
        self, at_once: int = AT_ONCE, *, of_one_host: int = OF_ONE_HOST, patience: float = PATIENCE
    ) -> None:
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="corral-resolver")
        self._at_once = at_once
        self._of_one_host = of_one_host
        self._patience = patience
        self._running = Counter[str]()
        self._ended = asyncio.Event()

    async def __call__(self, host: str, port: int) -> list[Address]:
        """The addresses, in the resolver's order. Raises `OSError`, and `LookUpsBusy` where its turn does not come."""
        try:
            async with asyncio.timeout(self._patience):
                await self._turn(host)
        except TimeoutError:
            raise LookUpsBusy(host) from None
        return await asyncio.wrap_future(self._begun(host, port))

    def close(self) -> None:
        """Wait for nobody: threads end with what they look up."""
        self._threads.shutdown(wait=False)

    async def _turn(self, host: str) -> None:
        while self._running.total() >= self._at_once or self._running[host] >= self._of_one_host:
            self._ended.clear()
            await self._ended.wait()

    def _begun(self, host: str, port: int) -> Future[list[Address]]:
        """A look-up that counts until its thread has ended, however early nobody waits for it any more."""
        loop = asyncio.get_running_loop()

        def ended(_: object) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody counts any more
                loop.call_soon_threadsafe(self._end, host)

        look_up = self._threads.submit(_addresses, host, port)
        self._running[host] += 1
        look_up.add_done_callback(ended)
        return look_up

    def _end(self, host: str) -> None:
        self._running -= Counter([host])
        self._ended.set()


def _addresses(host: str, port: int) -> list[Address]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    texts = dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found)
    return [ip_address(text) for text in texts]
