"""Outages of the server, told once when they begin and once when they end."""

from __future__ import annotations

import time

from corral.engine.faults import Unanswered
from corral.logs import get_logger

__all__ = ["TroubleLog"]

log = get_logger("worker")


class TroubleLog:
    """Many calls fail in one outage; people read one line."""

    def __init__(self) -> None:
        self._since: float | None = None

    @property
    def in_trouble(self) -> bool:
        """Whether the last call was not answered."""
        return self._since is not None

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
