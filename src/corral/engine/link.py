"""One connection to the server, driven by us: one call at a time, each with a deadline of its own.

redis-py connects, authenticates and speaks the protocol. Its client on top is not used: it would repeat calls
behind our back, and costs more per call than the call.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, TypeVar

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import AskError, MovedError, NoScriptError, RedisError, ResponseError

from corral.engine.address import Node
from corral.engine.connector import Word, ask, packed
from corral.engine.faults import Unanswered, translate
from corral.engine.keys import QueueKeys
from corral.engine.route import Route
from corral.engine.script import Script
from corral.engine.slots import slot_of_command

__all__ = ["Link", "Word"]

MAX_REDIRECTIONS: Final = 5
T = TypeVar("T")


class Link:
    """A connection that opens itself at the first call and again after any doubt.

    A call that is not answered in time, or is cancelled, drops the connection: its late reply must never be
    taken for the next one's. Whether the server carried it out is then unknown, which `Unanswered` says.

    On a cluster it stays with the node that serves its slot, which is that of the first key it is asked about, and
    follows the slot to other nodes.

    The timer of the deadline is not armed anew for each call: it stays for the earliest one, and when it fires looks
    whether a call is late. That is most of what a timeout costs.
    """

    __slots__ = (
        "_armed",
        "_connection",
        "_deadline",
        "_late",
        "_name",
        "_redirections",
        "_route",
        "_timer",
        "_waiting",
        "node",
        "server",
        "slot",
        "timeout",
    )

    def __init__(
        self, route: Route, *, server: str, timeout: float, slot: int | None = None, name: str = ""
    ) -> None:
        self._route = route
        self._name = name
        self._connection: AbstractConnection | None = None
        self._redirections = 0
        self._waiting: asyncio.Task[Any] | None = None
        self._deadline = self._armed = math.inf
        self._late = False
        self._timer: asyncio.TimerHandle | None = None
        self.server = server
        self.slot = slot
        self.node: Node | None = None
        self.timeout = timeout

    async def call(self, *words: Word, timeout: float | None = None, queue: str = "") -> Any:
        """Send one command and return its reply. `timeout` in seconds; `math.inf` waits for ever.

        Raises:
            Unanswered: no answer in time, or the server cannot answer now; may be sent again.
            QueueFull: the server has reached maxmemory.
            ServerRefused: wrong password, missing permission, and the like.
            redis.exceptions.ResponseError: the command itself is wrong.
        """
        return await self._in_time(self._exchange(words), timeout, queue)

    async def _in_time(self, exchange: Coroutine[Any, Any, T], timeout: float | None, queue: str = "") -> T:
        """What the server answers, before the deadline."""
        limit = self.timeout if timeout is None else timeout
        loop = asyncio.get_running_loop()
        self._waiting = waiting = asyncio.current_task()
        # A caller that cleans up after its own cancellation has some already.
        cancels = waiting.cancelling() if waiting is not None else 0
        self._deadline = loop.time() + limit
        if self._deadline < self._armed:
            self._arm(loop)
        try:
            return await exchange
        except asyncio.CancelledError:
            if not self._late:
                raise
            self._late = False
            if waiting is not None and waiting.uncancel() > cancels:
                raise  # somebody else has cancelled the caller meanwhile, too
            self._route.doubt(self.node)
            raise Unanswered(self.server, f"no answer within {limit:g} s") from None
        except (RedisError, OSError, EOFError) as error:
            translated = translate(error, self.server, queue)
            if translated is None:
                raise
            if isinstance(translated, Unanswered):
                self._route.doubt(self.node)
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
        if self._route.clustered:
            names = (*names, keys.nothing)
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

    async def run_each(
        self, script: Script, queues: Sequence[QueueKeys], arguments: Callable[[QueueKeys], tuple[Word, ...]]
    ) -> list[Any]:
        """Run a script once for each of several queues, all of one node, in one round trip. Where the server refuses
        one of them, or sends it to another node, the `ResponseError` stands in place of the reply.

        Raises as `call` for what concerns them all.
        """
        commands: list[tuple[Word, ...]] = [
            ("EVALSHA", script.sha, len(script.keys), *keys.all(script.keys), *arguments(keys))
            for keys in queues
        ]
        replies = await self._in_time(self._exchange_all(commands), None) if commands else []
        if missed := [at for at, reply in enumerate(replies) if isinstance(reply, NoScriptError)]:
            await self.call("SCRIPT", "LOAD", script.text)
            again = await self._in_time(self._exchange_all([commands[at] for at in missed]), None)
            for at, reply in zip(missed, again, strict=True):
                replies[at] = reply
        for error in replies:
            if isinstance(error, AskError) or not isinstance(error, RedisError):
                continue
            if translated := translate(error, self.server):
                raise translated from error
        return replies

    async def _exchange_all(self, commands: Sequence[tuple[Word, ...]]) -> list[Any]:
        connection = self._connection
        if connection is None or not connection.is_connected:
            connection = await self._open(commands[0])
        try:
            await connection.send_packed_command(b"".join(map(packed, commands)), check_health=False)
            return [await _reply(connection) for _ in commands]
        except asyncio.CancelledError:
            self._connection = None
            await connection.disconnect(nowait=True)
            raise

    async def _exchange(self, words: tuple[Word, ...]) -> Any:
        connection = self._connection
        if connection is None or not connection.is_connected:
            connection = await self._open(words)
        try:
            await connection.send_packed_command(packed(words), check_health=False)
            return await connection.read_response()
        except asyncio.CancelledError:
            self._connection = None
            await connection.disconnect(nowait=True)
            raise
        except AskError as redirection:
            return await self._follow(redirection, words)

    async def _follow(self, redirection: AskError, words: tuple[Word, ...]) -> Any:
        """Send a command to the node that another one has pointed to: this time (ASK), or from now on (MOVED)."""
        if self._redirections >= MAX_REDIRECTIONS:
            raise redirection
        # Who points to itself may leave its name out.
        node = Node(redirection.host or (self.node.host if self.node else ""), redirection.port)
        self._redirections += 1
        try:
            if not isinstance(redirection, MovedError):
                return await self._ask_once(node, words)
            self.slot = redirection.slot_id
            self._route.moved(redirection.slot_id, node)
            await self._drop()
            return await self._exchange(words)
        finally:
            self._redirections -= 1

    async def _ask_once(self, node: Node, words: tuple[Word, ...]) -> Any:
        connection = await self._route.open_node(node)
        try:
            await ask(connection, "ASKING")
            return await ask(connection, *words)
        finally:
            await connection.disconnect(nowait=True)

    async def _open(self, words: tuple[Word, ...]) -> AbstractConnection:
        await self._drop()
        if self.slot is None and self._route.clustered:
            self.slot = slot_of_command(words)
        self.node, connection = await self._route.open(self.slot, self._name)
        self._connection = connection
        return connection

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)

    async def close(self) -> None:
        """Close the connection; the next call opens a new one."""
        if self._timer is not None and self._deadline == math.inf:
            self._timer.cancel()
            self._timer, self._armed = None, math.inf
        await self._drop()


async def _reply(connection: AbstractConnection) -> Any:
    """The next reply, or the refusal that stands in its place: those behind it have to be read all the same."""
    try:
        return await connection.read_response()
    except ResponseError as error:
        return error
