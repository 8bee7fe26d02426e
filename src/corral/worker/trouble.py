"""What goes wrong around jobs: outages of the server, told once when they begin and once when they end, damaged keys,
and errors in what the user wants to be told."""

from __future__ import annotations

import time
from typing import Final

from corral.contracts.secret import masked_text
from corral.contracts.stack import stack_text
from corral.engine.faults import Unanswered
from corral.logs import get_logger

__all__ = ["PAUSE_AFTER_DAMAGE", "TroubleLog", "log_damage", "log_raised"]

log = get_logger("worker")

PAUSE_AFTER_DAMAGE: Final = 1.0
"""Seconds until the next try with a queue whose keys are damaged: it does not mend itself."""


def log_damage(queue: str, error: Exception) -> None:
    """A command or script failed by a key that is not what it should be: an operator's business."""
    log.error("Queue cannot be worked: one of its keys is damaged", queue=queue, err=str(error))


def log_raised(event: str, error: BaseException, **fields: str) -> None:
    """An error that nobody awaits: of a function of the user's that is only told of something, or of a whole worker.
    It may quote what it was told."""
    log.error(event, **fields, exception=masked_text(stack_text(error)))


class TroubleLog:
    """Many calls fail in one outage; people read one line."""

    def __init__(self) -> None:
        self._since: float | None = None

    @property
    def seconds(self) -> float:
        """For how long calls have failed; 0 while they are answered."""
        since = self._since
        return 0.0 if since is None else time.monotonic() - since

    def failed(self, error: Unanswered, pause: float) -> None:
        """A call was not answered; another follows after `pause` seconds."""
        if self._since is None:
            self._since = time.monotonic()
            log.warning(
                "Server does not answer, trying until it does", server=error.server, cause=error.cause
            )

    def answered(self) -> None:
        """A call was answered."""
        if self._since is not None:
            seconds, self._since = time.monotonic() - self._since, None
            log.info("Server answers again", afterSeconds=round(seconds, 1))
