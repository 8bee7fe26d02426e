"""Deadlines of many runs on one timer."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable

from corral.worker.run import Run

__all__ = ["Deadlines"]


class Deadlines:
    """One timer for the earliest deadline of all runs.

    Setting and dropping a deadline is an assignment. The timer stays where it is when the earliest run ends in time,
    as nearly all do: when it fires, one pass over the runs (at most as many as there are slots) finds those that are
    due and the next deadline. Whoever owns the runs sets `runs` and `on_due`.
    """

    def __init__(self) -> None:
        self.runs: Callable[[], Iterable[Run]] = list
        self.on_due: Callable[[Run], None] = lambda _: None
        self._timer: asyncio.TimerHandle | None = None
        self._armed = math.inf

    def set(self, run: Run, seconds: float) -> None:
        """Call `on_due(run)` in `seconds`, unless it is dropped before."""
        loop = asyncio.get_running_loop()
        run.deadline = loop.time() + seconds
        if run.deadline < self._armed:
            self._arm(loop, run.deadline)

    @staticmethod
    def drop(run: Run) -> None:
        """The run is through."""
        run.deadline = math.inf

    def _arm(self, loop: asyncio.AbstractEventLoop, deadline: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._armed = deadline
        self._timer = loop.call_at(deadline, self._fire)

    def _fire(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer, self._armed = None, math.inf
        now, following = loop.time(), math.inf
        for run in list(self.runs()):
            if run.deadline <= now:
                run.deadline = math.inf
                self.on_due(run)
            else:
                following = min(following, run.deadline)
        if following < math.inf:
            self._arm(loop, following)

    def close(self) -> None:
        """Forget all deadlines."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer, self._armed = None, math.inf
