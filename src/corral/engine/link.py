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

    The timer of the deadline is not armed anew for each call: it stays for the earliest one, and when it fires looks
    whether a call is late. That is most of what a timeout costs.
    """

    __slots__ = (
        "_armed",
        "_connection",
        "_deadline",
        "_late",
        "_make",
        "_on_open",
        "_timer",
        "_waiting",
        "server",
        "timeout",
    )

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
        self._waiting: asyncio.Task[Any] | None = None
        self._deadline = self._armed = math.inf
        self._late = False
        self._timer: asyncio.TimerHandle | None = None
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
        loop = asyncio.get_running_loop()
        self._waiting = waiting = asyncio.current_task()
        # A caller that cleans up after its own cancellation has some already.
        cancels = waiting.cancelling() if waiting is not None else 0
        self._deadline = loop.time() + limit
        if self._deadline < self._armed:
            self._arm(loop)
        try:
            return await self._exchange(words)
        except asyncio.CancelledError:
            if not self._late:
                raise
            self._late = False
            if waiting is not None and waiting.uncancel() > cancels:
                raise  # somebody else has cancelled the caller meanwhile, too
            raise Unanswered(self.server, f"no answer within {limit:g} s") from None
        except (RedisError, OSError, EOFError) as error:
            translated = translate(error, self.server, queue)
            if translated is None:
                raise
            if isinstance(translated, Unanswered):
                await self.close()
            raise translated from error
        finally:
            self._deadline = math.inf
            if self._late and waiting is not None:  # late, and failed otherwise at the same moment
                self._late = False
                waiting.uncancel()

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._armed = self._deadline
        self._timer = loop.call_at(self._deadline, self._look_at_clock, loop)

    def _look_at_clock(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer, self._armed = None, math.inf
        if self._deadline <= loop.time():
            self._late = True
            if self._waiting is not None:
                self._waiting.cancel()
        elif self._deadline < math.inf:
            self._arm(loop)

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
        if self._timer is not None and self._deadline == math.inf:
            self._timer.cancel()
            self._timer, self._armed = None, math.inf
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)


def packed(words: tuple[Word, ...]) -> bytes:
    """A command as the protocol has it (RESP). redis-py's own packing of one is many times slower."""
    command: bytes = pack_command(words)  # type: ignore[arg-type]  # its stub knows tuples of one type only
    return command
