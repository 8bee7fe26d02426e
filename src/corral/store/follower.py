"""The follower: keeps the schedules as the table has them, while a worker runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

from corral.errors import ServerError, StoreError
from corral.logs import get_logger
from corral.store.registrar import Registrar

__all__ = ["Follower"]

log = get_logger("cron-jobs")

ALL_EVERY: Final = 300.0
"""Seconds after which everything is registered anew: what somebody removed from Redis, or changed by SQL without a new
revision."""


PATIENCE: Final = 10.0
"""Seconds for which a worker waits at its start, and at its end, for a pass."""


class Follower:
    """Registers what has changed, again and again.

    A worker works without its database, because its schedules are in Redis: trouble is logged once, and what could not
    be done is done when it is over. Nor does it wait for a database that does not answer, when it starts and when it
    ends: a pass may be given up at any point (see `Registrar`).

    Args:
        prepare: called once before the first pass: for the tables, and what the program declares.
        interval: seconds between two passes.
    """

    def __init__(self, registrar: Registrar, prepare: Callable[[], Awaitable[None]], interval: float) -> None:
        self._registrar = registrar
        self._prepare = prepare
        self._interval = interval
        self._prepared = False
        self._in_trouble = False
        self._passed = asyncio.Event()
        self._stop = asyncio.Event()

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """The first pass before the block, and others inside of it, none behind it."""
        task = asyncio.create_task(self._follow())
        try:
            await self._first_pass(task)
            task.add_done_callback(_tell)
            yield
        finally:
            self._stop.set()
            await asyncio.wait({task}, timeout=PATIENCE)
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
        if not task.cancelled():
            task.result()

    async def _first_pass(self, task: asyncio.Task[None]) -> None:
        """Wait for it, for some seconds. Raises what ended it."""
        passing = asyncio.create_task(self._passed.wait())
        await asyncio.wait({task, passing}, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        passing.cancel()
        if task.done():
            task.result()
        elif not self._passed.is_set():
            log.error("Cron jobs are not registered yet: the database takes its time", seconds=PATIENCE)

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        all_at = loop.time() + ALL_EVERY
        await self._pass()
        self._passed.set()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._interval):
                    await self._stop.wait()
            if self._stop.is_set():
                return
            if loop.time() >= all_at:
                self._registrar.forget()
                all_at = loop.time() + ALL_EVERY
            await self._pass()

    async def _pass(self) -> None:
        try:
            if not self._prepared:
                await self._prepare()
                self._prepared = True
            await self._registrar.register()
        except (StoreError, ServerError) as error:
            if not self._in_trouble:
                log.error("Cron jobs cannot be registered", reason=str(error))
            self._in_trouble = True
        else:
            if self._in_trouble:
                log.info("Cron jobs are registered again")
            self._in_trouble = False


def _tell(task: asyncio.Task[None]) -> None:
    """Say at once what ended the following, which `following` raises at its end."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("Cron jobs are followed no longer", exc_info=error)
