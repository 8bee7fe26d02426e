"""One run of a job: some targets at a time, as long as its time lasts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from corral import Context
from corral.tasks._effect_key import effect_key
from corral.tasks.errors import DeliveryFailed

__all__ = ["Run"]

TOGETHER: Final = 8
UNTRIED: Final = "its turn did not come in this run"
UNANSWERED: Final = "no answer by the end of this run"
R = TypeVar("R")


class Run:
    """Ends before the job's own time does, so that what came of it can still be told. Whose turn has not come is
    remembered: the next run begins with them, or those who let others wait would do so in each run.

    Args:
        seconds: how long it lasts.
    """

    def __init__(self, ctx: Context, *, seconds: float) -> None:
        self._ctx = ctx
        self._until = asyncio.get_running_loop().time() + seconds
        self._turn = asyncio.Semaphore(TOGETHER)
        self._untried = set[str]()

    async def order(self, labels: Sequence[str]) -> list[str]:
        """Who comes when: those first whose turn did not come in the run before."""
        left = await self._kept(self._ctx.attempt - 1, []) if self._ctx.attempt > 1 else []
        places = {label: place for place, label in enumerate(left)}
        return sorted(labels, key=lambda label: places.get(label, len(places)))

    async def reach(self, label: str, effect: Callable[[], Awaitable[R]]) -> R:
        """What the effect gives, when its turn has come. Raises `DeliveryFailed` when the time is over."""
        limit, begun = asyncio.timeout_at(self._until), False
        try:
            async with limit, self._turn:
                begun = True
                return await effect()
        except TimeoutError:
            if not limit.expired():
                raise
            if not begun:
                self._untried.add(label)
            raise DeliveryFailed(label, UNANSWERED if begun else UNTRIED) from None

    async def end(self, order: Sequence[str]) -> None:
        """Keep what the next run has to know."""
        if self._untried:
            await self._kept(self._ctx.attempt, [label for label in order if label in self._untried])

    async def _kept(self, attempt: int, labels: list[str]) -> list[str]:
        async def effect() -> list[str]:
            return labels

        return await self._ctx.once(effect_key("untried", self._ctx, str(attempt)), effect)
