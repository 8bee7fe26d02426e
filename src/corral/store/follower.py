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


class Follower:
    """Registers what has changed, again and again.

    A worker works without its database, because its schedules are in Redis: trouble is logged once, and what could not
    be done is done when it is over.

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
        self._stop = asyncio.Event()

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """The first pass before the block, and others inside of it. The last one ends before the block does."""
        await self._pass()
        task = asyncio.create_task(self._follow())
        task.add_done_callback(_tell)
        try:
            yield
        finally:
            self._stop.set()
            await task

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        all_at = loop.time() + ALL_EVERY
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), self._interval)
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
