"""Who waits for which job: one reader of the event stream a queue, shared by all waiters of a client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from corral.engine.faults import Unanswered
from corral.engine.link import Link
from corral.engine.listen import ENDINGS, last_event_id, read_events
from corral.engine.server import Server
from corral.errors import ServerUnavailable

__all__ = ["EventHub"]

BLOCK_MS: Final = 5000


class EventHub:
    """Reads a queue's events while somebody waits for a job, and tells who waits for that one.

    The place in the stream is fixed before a waiter looks at the job's state, so an end between the two is not
    missed; after an outage reading goes on where it stopped.
    """

    def __init__(self, server: Server, queue: str) -> None:
        self._server = server
        self._keys = server.keys(queue)
        self._waiting: dict[str, set[asyncio.Future[dict[str, str]]]] = {}
        self._reader: asyncio.Task[None] | None = None
        self._positioned = asyncio.Event()

    @asynccontextmanager
    async def watching(self, wire_id: str) -> AsyncIterator[asyncio.Future[dict[str, str]]]:
        """A future with the fields of the event that ends this job (completed, failed, removed)."""
        future: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(wire_id, set()).add(future)
        try:
            if self._reader is None or self._reader.done():
                self._positioned.clear()
                self._reader = asyncio.get_running_loop().create_task(self._read())
            await self._until_positioned(self._reader)
            yield future
        finally:
            future.cancel()
            waiters = self._waiting.get(wire_id, set())
            waiters.discard(future)
            if not waiters:
                self._waiting.pop(wire_id, None)

    async def _until_positioned(self, reader: asyncio.Task[None]) -> None:
        if self._positioned.is_set():
            return
        settings = self._server.settings
        positioned = asyncio.ensure_future(self._positioned.wait())
        try:
            waits: set[asyncio.Future[Any]] = {positioned, reader}
            done, _ = await asyncio.wait(waits, timeout=settings.timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            positioned.cancel()
        if reader.done():
            reader.result()
        if not done:
            raise ServerUnavailable(settings.address, settings.timeout, "no answer")

    async def _read(self) -> None:
        link = await self._server.link(self._keys)
        try:
            after: str | None = None
            while self._waiting:
                after = await self._read_once(link, after)
        finally:
            # Whoever comes while the connection is being closed needs another reader.
            if self._reader is asyncio.current_task():
                self._reader = None
            await link.close()

    async def _read_once(self, link: Link, after: str | None) -> str | None:
        try:
            if after is None:
                after = await last_event_id(link, self._keys)
                self._positioned.set()
            for event in await read_events(link, self._keys, after, block_ms=BLOCK_MS):
                after = event.id
                if event.fields.get("event") in ENDINGS:
                    self._tell(event.fields)
        except Unanswered:
            await asyncio.sleep(0.2)
        return after

    def _tell(self, fields: dict[str, str]) -> None:
        for future in self._waiting.get(fields.get("jobId", ""), ()):
            if not future.done():
                future.set_result(fields)

    async def close(self) -> None:
        """Stop reading; whoever still waits is cancelled."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
        for waiters in list(self._waiting.values()):
            for future in waiters:
                future.cancel()
