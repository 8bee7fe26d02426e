"""The server as the engine sees it: settings in, calls out, connections kept for the next call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any, TypeVar

from redis.exceptions import AskError, RedisError

from corral.embedded import EmbeddedServer, is_embedded, resolve_url
from corral.engine.address import Address, Shape, UnreadableUrl, read_url, shape_of
from corral.engine.cluster import Cluster
from corral.engine.connector import Connector
from corral.engine.faults import FAULTS, ResponseError, translate
from corral.engine.keys import QueueKeys
from corral.engine.link import Link, Word
from corral.engine.resend import until_answered
from corral.engine.route import OneServer, Pinned, Sentinels, route_for
from corral.engine.script import Script
from corral.engine.settings import ServerSettings
from corral.engine.slots import slot_of_command
from corral.errors import ServerRefused

__all__ = ["PATIENCE", "Server"]

T = TypeVar("T")

MAX_LINKS = 8
"""Connections for short calls. More callers than that take turns: a server has only so many for all its clients."""

MAX_IDLE = 4 * MAX_LINKS
"""Connections kept for the next call: on a cluster they are to different nodes."""

PATIENCE = 0.4
"""The part of the timeout that one attempt may take. A connection that a firewall has forgotten answers nothing and
says nothing, so that there must be time for an attempt on a new one, and one more."""


class Server:
    """Connections to one server, to the primary that sentinels name, or to the nodes of a cluster, made when they are
    first needed.

    Calls borrow a connection and give it back; whoever must keep one (a worker's lanes, a blocking wait, an event
    reader) asks for a link of its own. Belongs to one event loop.
    """

    def __init__(self, settings: ServerSettings) -> None:
        self.settings = settings
        self._idle: list[Link] = []
        self._address: Address | None = None
        self._route: OneServer | Sentinels | Cluster | None = None
        self._connector: Connector | None = None
        self._embedded: EmbeddedServer | None = None
        self._resolving = asyncio.Lock()
        self._places = asyncio.Semaphore(MAX_LINKS)

    @property
    def clustered(self) -> bool:
        """Whether it is a cluster, as far as is known: a `redis://` URL may turn out to name a node of one."""
        if self._route is None:
            return shape_of(self.settings.url) is Shape.CLUSTER
        return self._route.clustered

    def keys(self, queue: str) -> QueueKeys:
        """The keys of one queue under this server's prefix.

        Raises:
            ServerRefused: it is a cluster, and neither prefix nor queue has a hash tag.
        """
        keys = QueueKeys(self.settings.prefix, queue)
        if keys.slot is None and self.clustered:
            reason = f"the keys of queue {queue!r} would lie on several nodes of the cluster"
            raise ServerRefused(self.settings.address, reason, FAULTS["CROSSSLOT"].remedy)
        return keys

    async def resolve(self) -> Address:
        """Where to connect to; starts the embedded server when the URL names one.

        Raises:
            ServerRefused: the URL cannot be read.
            EmbeddedServerError: the embedded server cannot be started.
        """
        async with self._resolving:
            if self._address is None:
                url = self.settings.url
                if is_embedded(url):
                    url, self._embedded = await asyncio.to_thread(resolve_url, url)
                try:
                    address = read_url(url)
                except UnreadableUrl as error:
                    reason = f"this URL cannot be read: {error}"
                    raise ServerRefused(self.settings.address, reason, FAULTS["URL"].remedy) from None
                self._address = replace(address, options={**address.options, **self.settings.options})
                self._route, self._connector = route_for(self._address, self.settings.timeout)
        return self._address

    async def link(
        self, keys: QueueKeys | None = None, *, name: str = "", timeout: float | None = None
    ) -> Link:
        """A connection of its own for the caller, who closes it. `name` is shown by CLIENT LIST.

        On a cluster it goes to the node that has the `keys`; without them, to the node of the first key that it is
        asked about.
        """
        return await self._link(keys.slot if keys else None, name, timeout or self.settings.timeout)

    async def _link(self, slot: int | None, name: str, timeout: float) -> Link:
        await self.resolve()
        assert self._route is not None
        return Link(self._route, server=self.settings.address, timeout=timeout, slot=slot, name=name)

    def borrowed(self, keys: QueueKeys | None = None) -> AbstractAsyncContextManager[Link]:
        """A connection for a few calls in a row, about the same queue."""
        return self._borrowed(keys.slot if keys else None)

    @asynccontextmanager
    async def _borrowed(self, slot: int | None) -> AsyncIterator[Link]:
        async with self._places:
            link = await self._take_idle(slot) or await self._link(slot, "", self.settings.timeout * PATIENCE)
            try:
                yield link
            finally:
                self._idle.append(link)
                if len(self._idle) > MAX_IDLE:
                    await self._idle.pop(0).close()

    async def _take_idle(self, slot: int | None) -> Link | None:
        """An idle link, on a cluster one to the node that serves the slot."""
        if self._route is None or not self._idle:
            return None
        node = self._route.current(slot)
        if self._route.clustered and slot is not None:
            for at, link in enumerate(self._idle):
                if link.node == node:
                    link.slot = slot
                    return self._idle.pop(at)
            return None
        link = self._idle.pop()
        if not self._route.clustered and link.node not in (None, node):
            await link.close()  # to a server that is no longer the primary
        return link

    async def each_node(self) -> AsyncGenerator[Link, None]:
        """A link to each server that holds jobs: to one, or to all primaries of a cluster. Only for one step each."""
        await self.resolve()
        assert self._route is not None
        assert self._connector is not None
        try:
            async with asyncio.timeout(self.settings.timeout):
                nodes = await self._route.primaries()
        except (RedisError, OSError) as error:
            raise translate(error, self.settings.address) or error from error
        if not self._route.clustered:
            async with self._borrowed(None) as link:
                yield link
            return
        for node in nodes:
            route = Pinned(self._connector, node)
            link = Link(
                route, server=f"{self.settings.address} ({node})", timeout=self.settings.timeout * PATIENCE
            )
            try:
                yield link
            finally:
                await link.close()

    async def call_each(self, *words: Word) -> list[Any]:
        """Send one command to every server that holds jobs; the replies. Errors as `Link.call`."""
        async with aclosing(self.each_node()) as links:  # else a refusal leaves a link borrowed
            return [await link.call(*words) async for link in links]

    async def run(
        self, script: Script, keys: QueueKeys, *arguments: Word, timeout: float | None = None
    ) -> Any:
        """Run a script once. Errors as `Link.call`."""
        async with self._borrowed(keys.slot) as link:
            return await link.run(script, keys, *arguments, timeout=timeout)

    async def run_each(
        self, script: Script, queues: Sequence[QueueKeys], arguments: Callable[[QueueKeys], tuple[Word, ...]]
    ) -> list[Any]:
        """Run a script once for each of several queues, in one round trip; on a cluster, whose nodes share the queues,
        each by itself. Replies and errors as `Link.run_each`."""
        if self.clustered:
            return await asyncio.gather(
                *(self._reply_or_refusal(script, keys, *arguments(keys)) for keys in queues)
            )
        async with self._borrowed(None) as link:
            replies = await link.run_each(script, queues, arguments)
        return [  # at the first call nobody knows yet that a server is a node of a cluster
            await self._reply_or_refusal(script, keys, *arguments(keys))
            if isinstance(reply, AskError)
            else reply
            for keys, reply in zip(queues, replies, strict=True)
        ]

    async def _reply_or_refusal(self, script: Script, keys: QueueKeys, *arguments: Word) -> Any:
        try:
            return await self.run(script, keys, *arguments)
        except ResponseError as error:
            return error

    async def call(self, *words: Word, timeout: float | None = None) -> Any:
        """Send one command once, to whoever serves its key. Errors as `Link.call`."""
        async with self._borrowed(slot_of_command(words) if self.clustered else None) as link:
            return await link.call(*words, timeout=timeout)

    async def calls(self, commands: Sequence[tuple[Word, ...]]) -> list[Any]:
        """Send several commands about one queue over one connection, one after the other."""
        slot = slot_of_command(commands[0]) if commands and self.clustered else None
        async with self._borrowed(slot) as link:
            return [await link.call(*words) for words in commands]

    async def patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make a call until it is answered, for as long as the settings allow. Raises `ServerUnavailable` then."""
        return await until_answered(call, within=self.settings.timeout, server=self.settings.address)

    async def close(self) -> None:
        """Close all borrowed connections, and leave the embedded server."""
        idle, self._idle = self._idle, []
        for link in idle:
            await link.close()
        embedded, self._embedded = self._embedded, None
        self._address = self._route = self._connector = None
        if embedded is not None:
            await asyncio.to_thread(embedded.stop)
