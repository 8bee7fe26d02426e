"""The canceller: interrupts runs whose jobs were cancelled, or superseded by newer ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from corral.engine.keys import QueueKeys
from corral.engine.link import Link
from corral.engine.orders import find_cancelled
from corral.worker.run import Cause, Run

__all__ = ["Canceller"]

MOST_REMEMBERED: Final = 1000


class Canceller:
    """The cancellations of one queue.

    That a job is cancelled stands in the job itself: no run of it ends otherwise, whether its worker knows or not.
    Orders make its worker know at once; where some may have been missed, the jobs in hand are looked at.

    An order may be faster than the reply to the claim that started its run. So one that is about no run here, which
    most are on the other workers of the queue, is remembered for a while.
    """

    def __init__(
        self, keys: QueueKeys, runs: Callable[[], Iterable[Run]], interrupt: Callable[[Run, Cause], None]
    ) -> None:
        self._keys = keys
        self._runs = runs
        self._interrupt = interrupt
        self._early: dict[tuple[bytes, bytes], str] = {}

    def take(self, order: Mapping[str, str]) -> None:
        """An order says that a job was cancelled, during a certain run."""
        named = _bytes(order.get("job", "")), _bytes(order.get("fence", ""))
        reason = order.get("reason", "")
        for run in self._runs():
            if (run.claimed.wire_id, run.claimed.fence) == named:
                self._cancel(run, reason)
                return
        if len(self._early) >= MOST_REMEMBERED:
            self._early.pop(next(iter(self._early)))
        self._early[named] = reason

    def begun(self, run: Run) -> None:
        """A run begins: it may be cancelled already."""
        if self._early:
            reason = self._early.pop((run.claimed.wire_id, run.claimed.fence), None)
            if reason is not None:
                self._cancel(run, reason)

    async def look(self, link: Link) -> None:
        """Ask the server which of the jobs in hand are cancelled."""
        runs = list(self._runs())
        if not runs:
            return
        named = [(run.claimed.wire_id, run.claimed.fence) for run in runs]
        for run, reason in zip(runs, await find_cancelled(link, self._keys, named), strict=True):
            if reason:
                self._cancel(run, reason.decode("utf-8", "replace"))

    def _cancel(self, run: Run, reason: str) -> None:
        run.reason = reason
        self._interrupt(run, Cause.CANCELLED)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
