"""Chores: what a server does beside answering."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

from corral.errors import CorralError
from corral.logs import get_logger

__all__ = ["Chore", "Chores"]

log = get_logger("server")

Chore = Callable[[], Awaitable[None]]
"""What goes on until it is cancelled."""

FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 60.0
"""Seconds until a chore that failed is begun again: twice as long each time."""

PROBATION: Final = 120.0
"""Seconds for which one has to go on after a failure until it counts as sound."""


class Chores:
    """Keeps chores going: one that fails, or ends, is logged and begun again, and the others notice nothing of it.

    Args:
        chores: what to do, by the name under which its trouble is told.
        pause: seconds before it is begun again for the first time.
        probation: seconds for which it has to go on before its trouble is over.
    """

    def __init__(
        self, chores: Mapping[str, Chore], *, pause: float = FIRST_PAUSE, probation: float = PROBATION
    ) -> None:
        self._chores = dict(chores)
        self._pause = pause
        self._probation = probation
        self._sound_at = dict[str, float]()

    @property
    def troubles(self) -> list[str]:
        """Which of them failed, and have not gone on for long enough since."""
        now = asyncio.get_running_loop().time()
        return sorted(name for name, sound_at in self._sound_at.items() if now < sound_at)

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """All of them, for as long as the block lasts."""
        keeping = [asyncio.create_task(self._keep(name, chore)) for name, chore in self._chores.items()]
        try:
            yield
        finally:
            for task in keeping:
                task.cancel()
            await asyncio.gather(*keeping, return_exceptions=True)

    async def _keep(self, name: str, chore: Chore) -> None:
        loop = asyncio.get_running_loop()
        pause = self._pause
        while True:
            began = loop.time()
            error = await _failure_of(chore)
            if loop.time() - began >= self._probation:
                pause = self._pause
            # One that a person can do something about says it in a line, a defect shows where it is.
            log.error(
                "A chore of the server has stopped, and is begun again",
                chore=name,
                seconds=pause,
                err="it ended" if error is None else str(error) or type(error).__name__,
                exc_info=None if error is None or isinstance(error, CorralError) else error,
            )
            self._sound_at[name] = loop.time() + pause + self._probation
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)


async def _failure_of(chore: Chore) -> BaseException | None:
    """Do it until it ends; what it failed of. A cancellation of the caller's goes on to it."""
    doing = asyncio.ensure_future(chore())
    try:
        await asyncio.wait({doing})
    except asyncio.CancelledError:
        doing.cancel()
        await asyncio.wait({doing})
        raise
    return asyncio.CancelledError() if doing.cancelled() else doing.exception()
