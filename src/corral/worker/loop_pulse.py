"""Measures how long the event loop keeps others waiting."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

__all__ = ["LoopPulse"]

INTERVAL: Final = 0.1
"""Seconds between ticks. A block is seen to this exactly: one that begins between two ticks costs only the second."""


class LoopPulse:
    """A tick of the loop every tenth of a second, and how late it came.

    The lag is what anything else that became ready at that moment had to wait too. Threads may read it, also while the
    loop is blocked: then it is how late the next tick is already. `on_tick` is called with each.
    """

    def __init__(self, on_tick: Callable[[], None]) -> None:
        self._on_tick = on_tick
        self._due = time.monotonic()
        self._worst = 0.0
        self._worst_before = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        self._await_next(asyncio.get_running_loop())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()

    @property
    def blocked_for(self) -> float:
        """Seconds for which the loop has not run now, when it should have."""
        return max(0.0, time.monotonic() - self._due)

    @property
    def worst(self) -> float:
        """The longest lag of late, in seconds: since the turn before the last one."""
        return max(self._worst, self._worst_before, self.blocked_for)

    def turn(self) -> float:
        """The longest lag since the last turn, in seconds. Measuring begins anew."""
        self._worst_before, self._worst = max(self._worst, self.blocked_for), 0.0
        return self._worst_before

    def _await_next(self, loop: asyncio.AbstractEventLoop) -> None:
        self._due = time.monotonic() + INTERVAL
        self._timer = loop.call_later(INTERVAL, self._tick, loop)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        self._worst = max(self._worst, self.blocked_for)
        self._on_tick()
        self._await_next(loop)
