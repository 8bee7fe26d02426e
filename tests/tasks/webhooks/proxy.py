"""A small HTTP proxy: CONNECT, plain requests, and a password."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

__all__ = ["Proxy", "proxying"]

AUTHORIZATION: Final = "Proxy-Authorization: Basic " + base64.b64encode(b"ada:p@ss").decode()


@dataclass
class Proxy:
    """Where it listens, and what it was asked for."""

    port: int = 0
    asked: list[str] = field(default_factory=list)
    """The first lines of requests."""
    refuses: bool = False

    def url(self, login: str = "ada:p%40ss@") -> str:
        """Its URL."""
        return f"http://{login}127.0.0.1:{self.port}"


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@contextlib.asynccontextmanager
async def proxying() -> AsyncIterator[Proxy]:
    """A proxy on a free port of this machine."""
    proxy = Proxy()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.split("\r\n")
        proxy.asked.append(first)
        method, target, _ = first.split(" ")
        if proxy.refuses or AUTHORIZATION not in lines:
            writer.write(b"HTTP/1.1 407 Not there\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            writer.close()
            return
        where = target if method == "CONNECT" else target.split("/")[2]
        host, _, port = where.rpartition(":")
        their_reader, their_writer = await asyncio.open_connection(host.strip("[]"), int(port))
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        else:
            path = "/" + target.split("/", 3)[3]
            their_writer.write(head.replace(target, path, 1).encode())
        await asyncio.gather(_pass_on(reader, their_writer), _pass_on(their_reader, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
