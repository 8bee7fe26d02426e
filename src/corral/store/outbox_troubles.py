"""What keeps a relay from moving rows: told once, and left alone for a while."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final

from corral.errors import CorralError
from corral.logs import get_logger

__all__ = ["DATABASE", "OutboxTroubles"]

log = get_logger("outbox")

FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 10.0
"""Seconds until the next attempt for a queue, or a database, that is in trouble."""

MOST_REASONS: Final = 5
"""Of one kind of error that are told. A reason may hold what is another each time: a duration, a process id."""

DATABASE: Final = ""
"""What trouble with the database is kept under; that of a queue, under its name."""


@dataclass(slots=True)
class _Trouble:
    """What is wrong, and until when it is left alone."""

    reason: str = ""
    pause: float = 0.0
    until: float = 0.0
    told: dict[str, set[str]] = field(default_factory=dict)
    """Reasons, by the kind of error."""


class OutboxTroubles:
    """What is in trouble at the moment: queues, or the database.

    Each reason is told once, however often it is met, with its stack where it is no error of Corral's; and once that
    it is over. Attempts are further and further apart.
    """

    def __init__(self) -> None:
        self._known: dict[str, _Trouble] = {}

    @property
    def lines(self) -> list[str]:
        """A line each."""
        return [
            f"queue {queue!r}: {one.reason}" if queue else one.reason for queue, one in self._known.items()
        ]

    def queues(self) -> list[str]:
        """Those that are left alone at the moment."""
        now = asyncio.get_running_loop().time()
        return [queue for queue, trouble in self._known.items() if queue and trouble.until > now]

    def met(self, queue: str, error: Exception) -> float:
        """Something failed: seconds until the next attempt."""
        trouble = self._known.setdefault(queue, _Trouble())
        trouble.reason = str(error)
        trouble.pause = min(2 * trouble.pause or FIRST_PAUSE, LONGEST_PAUSE)
        trouble.until = asyncio.get_running_loop().time() + trouble.pause
        kind = type(error).__name__
        told = trouble.told.setdefault(kind, set())
        if trouble.reason not in told and len(told) < MOST_REASONS:
            told.add(trouble.reason)
            stack = {} if isinstance(error, CorralError) else {"exc_info": error}
            log.error(
                "Outbox cannot be moved, trying until it can",
                **_about(queue),
                error=kind,
                reason=trouble.reason or repr(error),
                **stack,
            )
        return trouble.pause

    def over(self, queue: str) -> None:
        """It is moved."""
        if self._known.pop(queue, None) is not None:
            log.info("Outbox is moved again", **_about(queue))

    def forget_queues(self) -> None:
        """They have no rows any more, or are another relay's."""
        for queue in [queue for queue in self._known if queue != DATABASE]:
            del self._known[queue]


def _about(queue: str) -> dict[str, str]:
    return {"queue": queue} if queue != DATABASE else {}
