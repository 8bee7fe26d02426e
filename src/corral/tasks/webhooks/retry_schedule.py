"""When a delivery that was not taken is tried again: a list of waits, and what the receiver asked for."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from corral.errors import InvalidOption
from corral.tasks.errors import DeliveryFailed

__all__ = ["THREE_DAYS", "RetrySchedule"]

LONGEST_ASKED: Final = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class RetrySchedule:
    """A backoff made of a list: ``delays`` in seconds, each lengthened by up to ``jitter`` of itself. A receiver's
    `Retry-After` wins where it is longer, up to a day."""

    delays: Sequence[float]
    jitter: float = 0.1

    def __post_init__(self) -> None:
        """Refuse what is no schedule."""
        if not self.delays or any(delay < 0 for delay in self.delays):
            raise InvalidOption("delays", self.delays, "give at least one number of seconds, none below 0")
        if not 0 <= self.jitter <= 1:
            raise InvalidOption("jitter", self.jitter, "give a share between 0 and 1")

    @property
    def attempts(self) -> int:
        """Runs in all."""
        return len(self.delays) + 1

    def __call__(self, attempts_made: int, error: BaseException) -> float:
        """Seconds until the next attempt."""
        planned = self.delays[min(attempts_made, len(self.delays)) - 1]
        asked = error.retry_after if isinstance(error, DeliveryFailed) else None
        wait = max(planned, min(asked or 0, LONGEST_ASKED))
        return wait * (1 + self.jitter * random.random())


_MINUTE, _HOUR = 60, 3600
THREE_DAYS: Final = RetrySchedule(
    (5, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 14 * _HOUR, 20 * _HOUR, 24 * _HOUR)
)
"""What Standard Webhooks 1.0 recommends: ten attempts in a little over three days."""
