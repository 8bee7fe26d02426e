"""A real HTTP server that misbehaves on demand, on a bare socket: no HTTP library would do these things."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

__all__ = ["ANSWERS", "Received", "Receiver", "receiving"]

OK: Final = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True)
class Received:
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """Where it listens, and what it got."""

    port: int = 0
    scheme: str = "http"
    host: str = "127.0.0.1"
    requests: list[Received] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)
    """What to say to the next requests, whole; then `OK`."""
    always: dict[str, bytes] = field(default_factory=dict)
    """What to say to all requests of a path, whole."""
    called: asyncio.Event = field(default_factory=asyncio.Event)
    """A request has come."""
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    """The client has hung up on an answer that had no end."""

    def url(self, path: str = "/hook") -> str:
        """A URL of it. The path chooses what it does: see `ANSWERS`."""
        return f"{self.scheme}://{self.host}:{self.port}{path}"


Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter


async def drip(receiver: Receiver, _reader: Reader, writer: Writer) -> None:
    """A header that never ends, a byte at a time."""
    writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    with contextlib.suppress(ConnectionError):
        while not writer.is_closing():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)  # a slow handler
    receiver.closed.set()


async def flood(receiver: Receiver, _reader: Reader, writer: Writer) -> None:
    """A body without an end."""
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    with contextlib.suppress(ConnectionError):
        while True:
            writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
            await writer.drain()
    receiver.closed.set()


async def headers(_: Receiver, _reader: Reader, writer: Writer) -> None:
    """Headers without an end."""
    writer.write(b"HTTP/1.1 200 OK\r\n")
    with contextlib.suppress(ConnectionError):
        while True:
            writer.write(b"X-More: " + b"x" * 1000 + b"\r\n")
            await writer.drain()


async def reset(_: Receiver, _reader: Reader, writer: Writer) -> None:
    """A connection that is reset instead of an answer."""
    writer.transport.abort()


async def silence(receiver: Receiver, reader: Reader, _writer: Writer) -> None:
    """No answer at all, until the client hangs up."""
    await reader.read()
    receiver.closed.set()


async def garbage(_: Receiver, _reader: Reader, writer: Writer) -> None:
    """Something that is not HTTP."""
    writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")


ANSWERS: Final[dict[str, Callable[[Receiver, Reader, Writer], Awaitable[None]]]] = {
    "/drip": drip,
    "/flood": flood,
    "/headers": headers,
    "/reset": reset,
    "/silence": silence,
    "/garbage": garbage,
}


@contextlib.asynccontextmanager
async def receiving(
    context: ssl.SSLContext | None = None, *, address: str = "127.0.0.1"
) -> AsyncIterator[Receiver]:
    """A receiver on a free port of this machine."""
    receiver = Receiver()

    async def serve(reader: asyncio.StreamReader, writer: Writer) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.strip().split("\r\n")
            said = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
            path = first.split(" ")[1]
            body = await reader.readexactly(int(said["content-length"]))
            receiver.requests.append(Received(path, said, body))
            receiver.called.set()
            if path in ANSWERS:
                await ANSWERS[path](receiver, reader, writer)
            else:
                usual = receiver.answers.pop(0) if receiver.answers else OK
                writer.write(receiver.always.get(path, usual))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, address, 0, ssl=context)
    receiver.port = server.sockets[0].getsockname()[1]
    if context:
        receiver.scheme, receiver.host = "https", "localhost"
    if ":" in address:
        receiver.host = f"[{address}]"
    try:
        yield receiver
    finally:
        server.close()
