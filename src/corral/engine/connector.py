"""Connections to nodes: opened, greeted, and refused with a reason where there is one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any, Final

from hiredis import pack_command
from redis.asyncio.connection import AbstractConnection, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError

from corral.engine.address import Node

__all__ = ["Connector", "Word", "ask", "packed"]

Word = str | bytes | int | float

PROBE_SECONDS: Final = 1.0
QUESTION_SECONDS: Final = 1.0
"""The longest that a question about who serves what may take: there are others to ask."""


class Connector:
    """Opens connections to any node, with the same user, certificates and database."""

    def __init__(self, kind: type[AbstractConnection], options: Mapping[str, Any], timeout: float) -> None:
        self._kind = kind
        self._options = options
        self._timeout = timeout
        self._silent: set[Node] = set()
        """Nodes that left a TLS greeting unanswered."""

    async def open(self, node: Node | None, name: str = "") -> AbstractConnection:
        """Connect and log in. `node` is None for a unix socket. Raises redis-py's errors and OSError."""
        if node in self._silent:
            await self._look_for_plain_text(node)
        place: dict[str, Any] = {} if node is None else {"host": node.host, "port": node.port}
        connection = self._kind(
            **self._options,
            **place,
            socket_timeout=None,
            socket_connect_timeout=self._timeout,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
            client_name=name or None,
        )
        try:
            await connection.connect_check_health(check_health=False, retry_socket_connect=False)
        except BaseException as error:
            if node is not None and issubclass(self._kind, SSLConnection) and _is_silence(error):
                self._silent.add(node)
            await connection.disconnect(nowait=True)
            raise
        return connection

    async def question(self, node: Node | None, *words: Word) -> Any:
        """Ask a node something over a connection that is closed afterwards, with little patience."""
        async with asyncio.timeout(min(QUESTION_SECONDS, self._timeout)):
            connection = await self.open(node)
            try:
                return await ask(connection, *words)
            finally:
                await connection.disconnect(nowait=True)

    async def _look_for_plain_text(self, node: Node | None) -> None:
        """A plain server takes a TLS greeting for the beginning of a command, and waits for its end: ask it plainly
        whether it is one."""
        assert node is not None
        self._silent.discard(node)
        with contextlib.suppress(OSError, TimeoutError, asyncio.LimitOverrunError):
            async with asyncio.timeout(PROBE_SECONDS):
                reader, writer = await asyncio.open_connection(node.host, node.port)
                try:
                    writer.write(b"PING\r\n")
                    first = await reader.read(1)
                finally:
                    writer.close()
                if first in (b"+", b"-"):
                    raise RedisConnectionError(f"{node} answers without TLS")


async def ask(connection: AbstractConnection, *words: Word) -> Any:
    """Send one command over an open connection and return its reply."""
    await connection.send_packed_command(packed(words), check_health=False)
    return await connection.read_response()


def packed(words: tuple[Word, ...]) -> bytes:
    """A command as the protocol has it (RESP). redis-py's own packing of one is many times slower."""
    command: bytes = pack_command(words)  # type: ignore[arg-type]  # its stub knows tuples of one type only
    return command


def _is_silence(error: BaseException) -> bool:
    return (
        isinstance(error, asyncio.CancelledError | TimeoutError) or "timeout" in type(error).__name__.lower()
    )
