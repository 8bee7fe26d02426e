"""Tunnelling: connections that begin at a proxy, and have TLS with the receiver behind it."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from typing import Any, cast

import httpcore

__all__ = ["Tunneller"]


class Tunneller(httpcore.AsyncNetworkBackend):
    """Opens the connections of httpcore to a proxy. An IPv6 address has brackets where a proxy is told it, and none
    where a certificate is checked; httpcore writes it in one way for both."""

    def __init__(self) -> None:
        self._inner = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the proxy."""
        return _Tunnel(await self._inner.connect_tcp(host, port, timeout, local_address, socket_options))


class _Tunnel(httpcore.AsyncNetworkStream):
    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        name = server_hostname and server_hostname.strip("[]")
        return _Tunnel(await self._inner.start_tls(ssl_context, name, timeout))

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._inner.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._inner.aclose()

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
