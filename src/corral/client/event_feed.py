"""A queue's events for many listeners at a time: one reader a queue, however many listen."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

from corral.client.events import EventSubscription
from corral.contracts.event import Event
from corral.engine.listen import place_of, read_on
from corral.engine.server import Server
from corral.errors import EventsTrimmed

__all__ = ["EventFeed", "Listener", "Missed"]

BUFFERED: Final = 1000
"""Events that wait for one listener. Who is further behind is let go, and may come back with the last id it saw."""

MADE_UP: Final = 10_000
"""Events that are made up for when somebody comes back, and how many bytes of them."""
MADE_UP_BYTES: Final = 16 * 1024 * 1024

PAGE: Final = 500


class Missed(NamedTuple):
    """Some events before ``id`` may have been missed: they are not kept any more, or are too many."""

    id: str


class Listener:
    """What one listener has not taken yet. Ends when it is too far behind, or the feed is closed."""

    def __init__(self, earlier: Iterable[Event | Missed] = ()) -> None:
        self._earlier = deque(earlier)
        self._waiting: deque[Event] = deque()
        self._news = asyncio.Event()
        self._ended = False

    async def next(self) -> Event | Missed | None:
        """The next event, as soon as there is one; None at the end."""
        while not (self._earlier or self._waiting or self._ended):
            self._news.clear()
            await self._news.wait()
        if self._earlier:
            return self._earlier.popleft()
        return self._waiting.popleft() if self._waiting else None

    def put_before(self, events: Iterable[Event | Missed]) -> None:
        """Take in what happened before all that was offered."""
        self._earlier.extend(events)

    def offer(self, event: Event) -> None:
        """Take an event in."""
        if self._ended:
            return
        self._waiting.append(event)
        if len(self._waiting) > BUFFERED:
            self._waiting.clear()
            self.end()
        self._news.set()

    def end(self) -> None:
        """Let it take what there is, and no more."""
        self._ended = True
        self._news.set()


class EventFeed:
    """The events of any queue. A queue is read while somebody listens to it, over one connection."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._readers: dict[str, _Reader] = {}
        self._closed = False

    @property
    def queues(self) -> list[str]:
        """The queues that somebody listens to."""
        return sorted(self._readers)

    @asynccontextmanager
    async def listening(self, queue: str, *, after: str | None = None) -> AsyncIterator[Listener]:
        """Listen from now on, or from behind an event seen earlier: what came since is read first.

        Raises:
            InvalidOption: `after` is no id of an event.
            ServerUnavailable: the place in the stream could not be read.
        """
        if after is not None:
            place_of(after)
        reader = self._readers.get(queue)
        if reader is None or reader.has_ended:
            reader = self._readers[queue] = _Reader(self._server, queue)
        reader.holders += 1
        listener = Listener()
        try:
            await reader.start()
            # In one step of the loop: all up to `position` is earlier, all behind it is offered.
            position = reader.position
            reader.listeners.add(listener)
            if after is not None:
                listener.put_before(await self._between(queue, after, position))
            if self._closed or reader.has_ended:
                listener.end()
            yield listener
        finally:
            reader.listeners.discard(listener)
            reader.holders -= 1
            if not reader.holders:
                if self._readers.get(queue) is reader:
                    del self._readers[queue]
                await reader.stop()

    async def _between(self, queue: str, after: str, until: str) -> list[Event | Missed]:
        """The events behind one and up to another."""
        found: list[Event | Missed] = []
        size = 0
        keys = self._server.keys(queue)
        link = await self._server.link(keys)
        try:
            while place_of(after) < place_of(until):
                entries = await read_on(link, keys, after, block_ms=1, count=PAGE)
                if not entries:
                    break
                after = entries[-1].id
                within = [entry for entry in entries if place_of(entry.id) <= place_of(until)]
                found += [Event.from_fields(queue, entry.id, entry.fields) for entry in within]
                size += sum(len(text) for entry in within for pair in entry.fields.items() for text in pair)
                if len(found) > MADE_UP or size > MADE_UP_BYTES:
                    return [Missed(until)]
        except EventsTrimmed:
            return [Missed(until)]
        finally:
            await link.close()
        return found

    def close(self) -> None:
        """End all listeners, and let no other begin."""
        self._closed = True
        for reader in self._readers.values():
            for listener in reader.listeners:
                listener.end()


class _Reader:
    """Reads one queue's events and hands each to all listeners."""

    def __init__(self, server: Server, queue: str) -> None:
        self._subscription = EventSubscription(server, queue)
        self._starting = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self.listeners: set[Listener] = set()
        self.holders = 0

    @property
    def position(self) -> str:
        """The last event that was handed out."""
        return self._subscription.position or "0-0"

    @property
    def has_ended(self) -> bool:
        """Whether it reads no more, though some that listened to it may not have gone yet."""
        return self._task is not None and self._task.done()

    async def start(self) -> None:
        """Begin to read, unless that has begun. Raises `ServerUnavailable`."""
        async with self._starting:
            if self._task is None:
                await self._subscription.__aenter__()
                self._task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            async for event in self._subscription:
                for listener in self.listeners:
                    listener.offer(event)
        finally:
            # Also when events came faster than they were read: each goes on from the last that it saw.
            for listener in self.listeners:
                listener.end()

    async def stop(self) -> None:
        """End reading."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._subscription.__aexit__()
