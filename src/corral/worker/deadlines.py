"""Deadlines of many runs on one timer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from corral.worker.run import Run

__all__ = ["Deadlines"]

TICK: Final = 0.02


class Deadlines:
    """A wheel: deadlines are rounded up to a tick of 20 ms and kept in one set a tick.

    Whoever acts on them sets `on_due`. Setting and dropping a deadline costs a set operation, no timer of its own; one timer fires for the earliest tick.
    """

    def __init__(self) -> None:
        self.on_due: Callable[[Run], None] = lambda _: None
        self._ticks: dict[int, set[Run]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._armed = 0

    def set(self, run: Run, seconds: float) -> int:
        """Call `on_due(run)` in `seconds`. Returns the tick, for `drop`."""
        loop = asyncio.get_running_loop()
        tick = int((loop.time() + seconds) / TICK) + 1
        runs = self._ticks.get(tick)
        if runs is None:
            runs = self._ticks[tick] = set()
            if self._timer is None or tick < self._armed:
                self._arm(loop, tick)
        runs.add(run)
        return tick

    def drop(self, run: Run, tick: int) -> None:
        """The run is through."""
        runs = self._ticks.get(tick)
        if runs is not None:
            runs.discard(run)
            if not runs:
                del self._ticks[tick]

    def _arm(self, loop: asyncio.AbstractEventLoop, tick: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._armed = tick
        self._timer = loop.call_at(tick * TICK, self._fire)

    def _fire(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        now = int(loop.time() / TICK)
        for tick in [tick for tick in self._ticks if tick <= now]:
            for run in self._ticks.pop(tick):
                self.on_due(run)
        if self._ticks:
            self._arm(loop, min(self._ticks))

    def close(self) -> None:
        """Forget all deadlines."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._ticks.clear()
