"""The health endpoint: answers from a thread of its own, also while the worker's loop is blocked."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from corral.errors import InvalidOption
from corral.logs import get_logger
from corral.worker.endpoint.answer import (
    MALFORMED,
    METRICS,
    UNMEASURED,
    answer_for,
    answer_with_metrics,
    wanted_path,
)
from corral.worker.health import Health

__all__ = ["HealthEndpoint", "listen", "listen_locally"]

log = get_logger("worker")

REQUEST_SECONDS: Final = 5.0
"""How long a request may take, from the connection to the last byte of the answer."""

MOST_BYTES: Final = 8192
MOST_CONNECTIONS: Final = 32
STOP_SECONDS: Final = 2.0


def listen(host: str, port: int) -> socket.socket:
    """A socket to serve on. Raises `InvalidOption` where nobody can listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        reason = f"nobody can listen on {host}:{port}: {error.strerror or error}"
        raise InvalidOption("health_port", port, reason) from error


def listen_locally(path: Path) -> socket.socket:
    """The same by a file, for other processes of this user."""
    path.unlink(missing_ok=True)
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(path))
    made.listen()
    return made


class HealthEndpoint:
    """A small HTTP server with an event loop and a thread of its own.

    A request is one head of at most 8 KiB, to be had within five seconds; it gets one answer, and the connection is
    closed. Of more than 32 connections at a time the oldest goes, so that those who send nothing keep nobody out.

    Args:
        listening: where it is asked.
        health: how it is.
        metrics: what was measured, in Prometheus' text format; None where nothing is.
    """

    def __init__(
        self,
        listening: socket.socket,
        health: Callable[[], Awaitable[Health]],
        metrics: Callable[[], Awaitable[bytes]] | None = None,
    ) -> None:
        self._socket = listening
        self._health = health
        self._metrics = metrics
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._requests: dict[asyncio.Task[None], None] = {}
        self._thread = threading.Thread(target=self._run, name="corral-health", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        with contextlib.closing(self._loop):
            self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        if self._socket.family == socket.AF_UNIX:
            server = await asyncio.start_unix_server(self._accept, sock=self._socket, limit=MOST_BYTES)
        else:
            server = await asyncio.start_server(self._accept, sock=self._socket, limit=MOST_BYTES)
            host, port = self._socket.getsockname()[:2]
            log.info("Health endpoint", host=host, port=port)
        await self._stopping.wait()
        server.close()
        for request in list(self._requests):
            request.cancel()
        await asyncio.gather(*self._requests, return_exceptions=True)
        await asyncio.sleep(0)  # for the connections to be closed

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._requests) >= MOST_CONNECTIONS:
            oldest = next(iter(self._requests))
            del self._requests[oldest]
            oldest.cancel()
        request = self._loop.create_task(self._request(reader, writer))
        self._requests[request] = None
        request.add_done_callback(lambda done: self._end(done, writer))

    def _end(self, request: asyncio.Task[None], writer: asyncio.StreamWriter) -> None:
        self._requests.pop(request, None)
        writer.transport.abort()  # nothing that is still to be sent may keep it open

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                writer.write(await self._answer(reader))
                await writer.drain()
                writer.close()
                await writer.wait_closed()
        except (OSError, TimeoutError):
            pass  # whoever asked has gone, or never said what for

    async def _answer(self, reader: asyncio.StreamReader) -> bytes:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.LimitOverrunError, asyncio.IncompleteReadError):
            return MALFORMED
        wanted = wanted_path(head)
        if isinstance(wanted, bytes):
            return wanted
        path, with_body = wanted
        if path == METRICS:
            if self._metrics is None:
                return UNMEASURED
            return answer_with_metrics(await self._metrics(), body=with_body)
        return answer_for(path, await self._health(), body=with_body)
