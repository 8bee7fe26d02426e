"""Waiting under a rate limit: until it ends, or somebody changes it."""

from __future__ import annotations

import asyncio
from typing import Final

from corral.engine.keys import QueueKeys
from corral.engine.limit import read_limit_change
from corral.engine.link import Link
from corral.engine.server import Server

__all__ = ["LimitWatch"]

READ_SECONDS: Final = 30.0


class LimitWatch:
    """One queue's changes of the rate limit, for the sleeper of one worker.

    The wait itself is a timer. Beside it a read of the changes is under way, over as many waits as there come, so that
    short windows cost no calls; its connection is opened when a limit is first met.
    """

    def __init__(self, server: Server, keys: QueueKeys) -> None:
        self._server = server
        self._keys = keys
        self._link: Link | None = None
        self._reading: asyncio.Task[tuple[int, int] | None] | None = None
        self._last = (0, 0)

    async def wait(self, seconds: float, since_ms: int, news: asyncio.Event) -> bool:
        """Wait for so long. True when the limit has been changed since `since_ms` (the server's time at which the
        limit was met), or when `news` came.

        Raises:
            Unanswered: the changes cannot be read now.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        told = loop.create_task(news.wait())
        try:
            while (left := until - loop.time()) > 0 and not told.done():
                reading = self._reading or await self._begin(since_ms)
                await asyncio.wait({reading, told}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                if reading.done():
                    self._reading = None
                    change = reading.result()
                    self._last = change or self._last
                    if change and change[0] >= since_ms:
                        return True
            return told.done()
        finally:
            told.cancel()

    async def _begin(self, since_ms: int) -> asyncio.Task[tuple[int, int] | None]:
        if self._link is None:
            self._link = await self._server.link(self._keys)
        # What has been read already is passed over, also when the server's clock has been put back.
        after = max((since_ms - 1, 0), self._last)
        self._reading = asyncio.get_running_loop().create_task(
            read_limit_change(self._link, self._keys, after, block_ms=int(READ_SECONDS * 1000))
        )
        return self._reading

    async def close(self) -> None:
        """Stop reading."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
            self._reading = None
        if self._link is not None:
            await self._link.close()
