"""Dialling: a name is resolved once, and the address that was checked is the one that is dialled."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, Final, cast

import httpcore

from corral.tasks.webhooks.egress import Egress
from corral.tasks.webhooks.resolving import Resolve

__all__ = ["Dialler"]

MOST_TRIED: Final = 3


class Dialler(httpcore.AsyncNetworkBackend):
    """Opens the connections of httpcore, to addresses that an `Egress` allows. TLS keeps to the name."""

    def __init__(self, egress: Egress, resolve: Resolve) -> None:
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
        """Connect to one of the addresses of a host, one after the other. Each but the last is given a share of the
        time, so that one that is dead leaves enough for those behind it, and for the answer. Raises `TargetRefused`."""
        until = time.monotonic() + (timeout or 0)
        try:
            found = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise httpcore.ConnectError(f"{host} cannot be resolved: {reason}") from error
        addresses = self.egress.check(host, found)[:MOST_TRIED]
        for at, address in enumerate(addresses[:-1]):
            share = None if timeout is None else (until - time.monotonic()) / (len(addresses) - at + 1)
            try:
                return await self._inner.connect_tcp(str(address), port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._inner.connect_tcp(str(addresses[-1]), port, timeout, local_address, socket_options)
