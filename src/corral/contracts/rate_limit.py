"""Limits of a queue as values: how many jobs may start in a time, and how many may run at once."""

from __future__ import annotations

from dataclasses import dataclass

from corral.contracts.arguments import whole
from corral.contracts.duration import Duration, milliseconds
from corral.errors import InvalidOption

__all__ = ["RateLimit", "check_concurrency"]

MOST: int = 2**31 - 1


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most ``max`` starts in a window of ``per`` (seconds or a `timedelta`); the first start opens the window.

    It holds for the whole queue, whoever works on it: BullMQ's ``limiter``, shared with Node's workers.
    """

    max: int
    """How many jobs may start in one window."""
    per: Duration
    """How long a window lasts."""

    def __post_init__(self) -> None:
        """Refuse what no window can be made of."""
        whole("max", self.max, 1, MOST)
        if milliseconds("per", self.per) < 1:
            raise InvalidOption("per", self.per, "give a window of at least a millisecond")

    @property
    def per_ms(self) -> int:
        """The length of the window in milliseconds."""
        return milliseconds("per", self.per)


def check_concurrency(value: object) -> None:
    """Raise `InvalidOption` for what no number of jobs at once can be. None is no limit."""
    if value is not None:
        whole("concurrency", value, 1, MOST)
