"""Resolving: the addresses of a name, looked up beside everything else that the program does."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Final

from corral.tasks.webhooks.egress import Address

__all__ = ["Resolve", "SystemResolver"]

AT_ONCE: Final = 16

Resolve = Callable[[str, int], Awaitable[list[Address]]]
"""Finds the addresses of a host. Raises `OSError`."""


class SystemResolver:
    """Asks the system's resolver, in threads of its own, at most sixteen look-ups at a time.

    The system's call cannot be cut off: a name server that lets everybody wait would fill the threads that a loop
    shares with all the program. Here it holds up other names, which fail within their time, and nothing else.
    """

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="corral-resolver")

    async def __call__(self, host: str, port: int) -> list[Address]:
        """The addresses, in the resolver's order. Raises `OSError`."""
        look_up = asyncio.get_running_loop().run_in_executor(self._threads, _addresses, host, port)
        return await look_up

    def close(self) -> None:
        """Wait for nobody: what is still looked up is forgotten."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _addresses(host: str, port: int) -> list[Address]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    texts = dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found)
    return [ip_address(text) for text in texts]
