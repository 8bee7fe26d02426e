"""One connection to the server, driven by us: one call at a time, each with a deadline of its own.

redis-py connects, authenticates and speaks the protocol. Its client on top is not used: it would repeat calls
behind our back, and costs more per call than the call.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from typing import Any

from hiredis import pack_command
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import NoScriptError, RedisError

from corral.engine.faults import Unanswered, translate
from corral.engine.keys import QueueKeys
from corral.engine.script import Script

__all__ = ["Link", "Word"]

Word = str | bytes | int | float


class Link:
    """A connection that opens itself at the first call and again after any doubt.

    A call that is not answered in time, or is cancelled, drops the connection: its late reply must never be
    taken for the next one's. Whether the server carried it out is then unknown, which `Unanswered` says.
    """

    __slots__ = ("_connection", "_make", "_on_open", "server", "timeout")

    def __init__(
        self,
        make: Callable[[], AbstractConnection],
        *,
        server: str,
        timeout: float,
        on_open: Sequence[tuple[Word, ...]] = (),
    ) -> None:
        self._make = make
        self._connection: AbstractConnection | None = None
        self._on_open = on_open
        self.server = server
        self.timeout = timeout

    async def call(self, *words: Word, timeout: float | None = None, queue: str = "") -> Any:
        """Send one command and return its reply. `timeout` in seconds; `math.inf` waits for ever.

        Raises:
            Unanswered: no answer in time, or the server cannot answer now; may be sent again.
            QueueFull: the server has reached maxmemory.
            ServerRefused: wrong password, missing permission, and the like.
            redis.exceptions.ResponseError: the command itself is wrong.
        """
        limit = self.timeout if timeout is None else timeout
        try:
            if limit == math.inf:
                return await self._exchange(words)
            async with asyncio.timeout(limit):
                return await self._exchange(words)
        except TimeoutError as error:
            await self.close()
            raise Unanswered(self.server, f"no answer within {limit:g} s") from error
        except (RedisError, OSError, EOFError) as error:
            translated = translate(error, self.server, queue)
            if translated is None:
                raise
            if isinstance(translated, Unanswered):
                await self.close()
            raise translated from error

    async def run(
        self, script: Script, keys: QueueKeys, *arguments: Word, timeout: float | None = None
    ) -> Any:
        """Run a script with the keys that its header names, of one queue. Loads it when the server lost it."""
        names = keys.all(script.keys)
        try:
            return await self.call(
                "EVALSHA", script.sha, len(names), *names, *arguments, timeout=timeout, queue=keys.queue
            )
        except NoScriptError:
            await self.call("SCRIPT", "LOAD", script.text, timeout=timeout)
        try:
            return await self.call(
                "EVALSHA", script.sha, len(names), *names, *arguments, timeout=timeout, queue=keys.queue
            )
        except NoScriptError:
            # The script cache was flushed between the two: send the text itself.
            return await self.call(
                "EVAL", script.text, len(names), *names, *arguments, timeout=timeout, queue=keys.queue
            )

    async def _exchange(self, words: tuple[Word, ...]) -> Any:
        connection = self._connection
        if connection is None or not connection.is_connected:
            connection = await self._open()
        try:
            await connection.send_packed_command(packed(words), check_health=False)
            return await connection.read_response()
        except asyncio.CancelledError:
            self._connection = None
            await connection.disconnect(nowait=True)
            raise

    async def _open(self) -> AbstractConnection:
        await self.close()
        connection = self._make()
        try:
            await connection.connect_check_health(check_health=False, retry_socket_connect=False)
            for words in self._on_open:
                await connection.send_packed_command(packed(words), check_health=False)
                await connection.read_response()
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        self._connection = connection
        return connection

    async def close(self) -> None:
        """Close the connection; the next call opens a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)


def packed(words: tuple[Word, ...]) -> bytes:
    """A command as the protocol has it (RESP). redis-py's own packing of one is many times slower."""
    command: bytes = pack_command(words)  # type: ignore[arg-type]  # its stub knows tuples of one type only
    return command
