"""Subscribing to a queue's events without losing any between two reads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final, Self

from corral.contracts.event import Event
from corral.engine.faults import Unanswered
from corral.engine.link import Link
from corral.engine.listen import last_event_id, place_of, read_on
from corral.engine.server import Server

__all__ = ["EventSubscription"]

BLOCK_MS: Final = 5000


class EventSubscription:
    """The events of one queue, in order, from a fixed place on.

    `async with` fixes the place: everything that happens after the block was entered is delivered, also what happens
    while the loop body runs or the connection is down (as long as the stream keeps it, about 10,000 events). With
    `after=` the id of an event seen earlier, reading resumes behind it; `0-0` stands before the oldest that is kept,
    and milliseconds since the epoch alone for that moment.

    A stream that was trimmed past the last event that was read raises `EventsTrimmed`, from the first read or from a
    later one, where the loop body was slower than events came.
    """

    def __init__(self, server: Server, queue: str, *, after: str | None = None) -> None:
        self._server = server
        self._keys = server.keys(queue)
        if after is not None:
            place_of(after)
        self._after = after
        self._link: Link | None = None

    @property
    def position(self) -> str | None:
        """The id of the last event delivered: give it as `after=` to go on later."""
        return self._after

    async def __aenter__(self) -> Self:
        self._link = link = await self._server.link(self._keys)
        if self._after is None:
            self._after = await self._server.patiently(lambda: last_event_id(link, self._keys))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._link is not None:
            await self._link.close()

    def __aiter__(self) -> AsyncIterator[Event]:
        return self._events()

    async def _events(self) -> AsyncIterator[Event]:
        if self._link is None:
            raise RuntimeError(
                "enter the subscription first: async with client.queue(name).events() as events"
            )
        while True:
            try:
                entries = await read_on(self._link, self._keys, self._after or "0-0", block_ms=BLOCK_MS)
            except Unanswered:
                await asyncio.sleep(0.2)
                continue
            for entry in entries:
                self._after = entry.id
                yield Event.from_fields(self._keys.queue, entry.id, entry.fields)
