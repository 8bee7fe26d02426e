"""Dialling: a name is resolved once, and the address that was checked is the one that is dialled."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from ipaddress import ip_address
from typing import Any, Final, cast

import httpcore

from corral.tasks.webhooks.egress import Address, Egress

__all__ = ["Dialler", "Resolve", "resolve"]

MOST_TRIED: Final = 3

Resolve = Callable[[str, int], Awaitable[list[Address]]]
"""Finds the addresses of a host. Raises `OSError`."""


async def resolve(host: str, port: int) -> list[Address]:
    """What the system's resolver says, in its order."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    texts = dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found)
    return [ip_address(text) for text in texts]


class Dialler(httpcore.AsyncNetworkBackend):
    """Opens the connections of httpcore, to addresses that an `Egress` allows. TLS keeps to the name."""

    def __init__(self, egress: Egress, resolve: Resolve = resolve) -> None:
        self.egress = egress
        self._resolve = resolve
        self._inner = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to one of the addresses of a host, one after the other. Raises `TargetRefused`."""
        try:
            found = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise httpcore.ConnectError(f"{host} cannot be resolved: {reason}") from error
        addresses = self.egress.check(host, found)[:MOST_TRIED]
        for address in addresses[:-1]:
            try:
                return await self._inner.connect_tcp(
                    str(address), port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._inner.connect_tcp(str(addresses[-1]), port, timeout, local_address, socket_options)
