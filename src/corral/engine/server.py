"""The server as the engine sees it: settings in, calls out, connections kept for the next call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from redis.asyncio.connection import AbstractConnection, Connection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from corral.embedded import EmbeddedServer, is_embedded, resolve_url
from corral.engine.faults import FAULTS
from corral.engine.keys import QueueKeys
from corral.engine.link import Link, Word
from corral.engine.resend import until_answered
from corral.engine.script import Script
from corral.engine.settings import ServerSettings
from corral.errors import ServerRefused

__all__ = ["PATIENCE", "Server"]

T = TypeVar("T")

MAX_LINKS = 8
"""Connections for short calls. More callers than that take turns: a server has only so many for all its clients."""

PATIENCE = 0.4
"""The part of the timeout that one attempt may take. A connection that a firewall has forgotten answers nothing and
says nothing, so that there must be time for an attempt on a new one, and one more."""


class Server:
    """Connections to one server, made when they are first needed.

    Calls borrow a connection and give it back; whoever must keep one (a worker's lanes, a blocking wait, an event
    reader) asks for a link of its own. Belongs to one event loop.
    """

    def __init__(self, settings: ServerSettings) -> None:
        self.settings = settings
        self._idle: list[Link] = []
        self._kind: type[AbstractConnection] | None = None
        self._options: dict[str, Any] = {}
        self._embedded: EmbeddedServer | None = None
        self._resolving = asyncio.Lock()
        self._places = asyncio.Semaphore(MAX_LINKS)

    def keys(self, queue: str) -> QueueKeys:
        """The keys of one queue under this server's prefix."""
        return QueueKeys(self.settings.prefix, queue)

    async def resolve(self) -> dict[str, Any]:
        """How to connect, as redis-py's connection options; starts the embedded server when the URL names one.

        Raises:
            ServerRefused: the URL cannot be read.
            EmbeddedServerError: the embedded server cannot be started.
        """
        async with self._resolving:
            if self._kind is None:
                url = self.settings.url
                if is_embedded(url):
                    url, self._embedded = await asyncio.to_thread(resolve_url, url)
                try:
                    found: dict[str, Any] = dict(parse_url(url))
                except ValueError:
                    # What it says may hold a part of the password.
                    raise ServerRefused(
                        self.settings.address, "this URL cannot be read", FAULTS["URL"].remedy
                    ) from None
                self._kind = found.pop("connection_class", Connection)
                self._options = {**found, **self.settings.options}
        return self._options

    async def link(self, *, name: str = "", timeout: float | None = None) -> Link:
        """A connection of its own for the caller, who closes it. `name` is shown by CLIENT LIST."""
        await self.resolve()
        kind, options = self._kind, self._options
        assert kind is not None

        def make() -> AbstractConnection:
            return kind(
                **options,
                socket_timeout=None,
                socket_connect_timeout=self.settings.timeout,
                retry=Retry(NoBackoff(), 0),
                protocol=2,
                client_name=name or None,
            )

        return Link(make, server=self.settings.address, timeout=timeout or self.settings.timeout)

    @asynccontextmanager
    async def borrowed(self) -> AsyncIterator[Link]:
        """A connection for a few calls in a row."""
        async with self._places:
            link = (
                self._idle.pop() if self._idle else await self.link(timeout=self.settings.timeout * PATIENCE)
            )
            try:
                yield link
            finally:
                self._idle.append(link)

    async def run(
        self, script: Script, keys: QueueKeys, *arguments: Word, timeout: float | None = None
    ) -> Any:
        """Run a script once. Errors as `Link.call`."""
        async with self.borrowed() as link:
            return await link.run(script, keys, *arguments, timeout=timeout)

    async def call(self, *words: Word, timeout: float | None = None) -> Any:
        """Send one command once. Errors as `Link.call`."""
        async with self.borrowed() as link:
            return await link.call(*words, timeout=timeout)

    async def calls(self, commands: Sequence[tuple[Word, ...]]) -> list[Any]:
        """Send several commands over one connection, one after the other."""
        async with self.borrowed() as link:
            return [await link.call(*words) for words in commands]

    async def patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make a call until it is answered, for as long as the settings allow. Raises `ServerUnavailable` then."""
        return await until_answered(call, within=self.settings.timeout, server=self.settings.address)

    async def close(self) -> None:
        """Close all borrowed connections, and leave the embedded server."""
        idle, self._idle = self._idle, []
        for link in idle:
            await link.close()
        embedded, self._embedded, self._kind = self._embedded, None, None
        if embedded is not None:
            await asyncio.to_thread(embedded.stop)
