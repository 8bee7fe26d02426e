"""Which queues there are, without asking the server each time: finding them takes a look at every key that it has."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from corral.admin.admin import Admin
from corral.engine.browse import is_possible
from corral.logs import get_logger

__all__ = ["QueueNames"]

log = get_logger("admin")

FRESH: Final = 5.0
"""Seconds for which an answer is taken as it is; an older one is given while the next is looked for."""


class QueueNames:
    """The names of all queues, some seconds old at most while somebody asks, and never searched for twice at a time.

    Those of keys that other programs have made, and that no queue can have, are kept apart in `impossible`, and logged
    when they are met.
    """

    def __init__(self, admin: Admin, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._admin = admin
        self._clock = clock
        self._names: list[str] | None = None
        self.impossible: list[str] = []
        self._read_at = 0.0
        self._reading: asyncio.Task[list[str]] | None = None

    async def read(self) -> list[str]:
        """All names, sorted."""
        fresh = self._clock() < self._read_at + FRESH
        if self._names is not None and fresh:
            return self._names
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
            self._reading.add_done_callback(_heard)
        if self._names is not None and self._clock() < self._read_at + 12 * FRESH:
            return self._names
        return await asyncio.shield(self._reading)

    def forget(self) -> None:
        """Look anew next time: a queue is gone."""
        self._names = None

    async def _read(self) -> list[str]:
        found = await self._admin.queues(impossible=True)
        names = [name for name in found if is_possible(name)]
        impossible = [name for name in found if not is_possible(name)]
        if new := [name for name in impossible if name not in self.impossible]:
            log.warning(
                "Keys of queues whose names no queue can have are left out", queues=new[:10], count=len(new)
            )
        self._names, self.impossible, self._read_at = names, impossible, self._clock()
        return names


def _heard(reading: asyncio.Task[list[str]]) -> None:
    """Whoever waits is told of an error; where nobody does, the next one who asks finds out."""
    if not reading.cancelled():
        reading.exception()
