"""Telling observers: what the server has stored of a run, as those hear it that measure a worker."""

from __future__ import annotations

import time
from collections.abc import Sequence

from corral.contracts.failure import FailureKind
from corral.contracts.observer import COMPLETED, RETRIED, Observer, SettledRun
from corral.engine.record import Settlement, Verb
from corral.worker.run import Run
from corral.worker.trouble import log_raised

__all__ = ["Observers"]

_TOLD = (Verb.COMPLETE, Verb.FAIL, Verb.RETRY, Verb.DELAY)


class Observers:
    """Tells all observers of a worker; what one raises is logged and reaches nobody else.

    A plain call with a tuple: metrics cost the hot path no task, no snapshot of the job and no second look at its data,
    as middleware and callbacks would.
    """

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = observers

    def settled(self, queue: str, run: Run, settlement: Settlement) -> None:
        """The server has stored an outcome."""
        if not self._observers or settlement.verb not in _TOLD:
            return
        told = SettledRun(queue, run.name, _outcome(settlement), run.seconds, _waited(run))
        for observer in self._observers:
            try:
                observer.settled(told)
            except Exception as error:  # noqa: BLE001 - a measure must not stop what it measures
                log_raised("Observer failed", error, observer=repr(observer))

    def stalled(self, queue: str) -> None:
        """A lost job was found."""
        for observer in self._observers:
            try:
                observer.stalled(queue)
            except Exception as error:  # noqa: BLE001 - a measure must not stop what it measures
                log_raised("Observer failed", error, observer=repr(observer))


def _outcome(settlement: Settlement) -> str:
    if settlement.verb == Verb.COMPLETE:
        return COMPLETED
    if settlement.verb == Verb.FAIL:
        return settlement.kind or FailureKind.EXHAUSTED
    return RETRIED


def _waited(run: Run) -> float | None:
    claimed = run.claimed
    if claimed.starts != 1:
        return None
    try:
        due_ms = int(claimed.timestamp or b"") + int(claimed.delay or 0)
    except ValueError:
        return None
    age = time.monotonic() - run.since
    return max(0.0, time.time() - age - due_ms / 1000)
