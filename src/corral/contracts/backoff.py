"""How long to wait before the next attempt. Pure: the random number is a parameter.

BullMQ's formulas (wire format §4): fixed = d; exponential = round(2^(n-1)·d), n counting the attempts that have
been made; jitter j takes a value evenly from [d·(1-j), d] and cuts it to whole milliseconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from corral.contracts.duration import MAX_MS, Duration, milliseconds
from corral.errors import InvalidOption

__all__ = ["Backoff", "BackoffFunction", "Exponential", "Fixed", "delay_ms"]


def _check_jitter(jitter: object) -> None:
    if isinstance(jitter, bool) or not isinstance(jitter, (int, float)) or not 0 <= jitter <= 1:
        raise InvalidOption("jitter", jitter, "give a share between 0 and 1")


@dataclass(frozen=True)
class Fixed:
    """The same wait before every attempt. ``delay`` in seconds or as a `timedelta`; ``jitter`` from 0 to 1."""

    delay: Duration
    jitter: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no wait can be made of."""
        milliseconds("delay", self.delay)
        _check_jitter(self.jitter)


@dataclass(frozen=True)
class Exponential:
    """A wait that doubles: ``delay``, 2·``delay``, 4·``delay``, …; ``jitter`` from 0 to 1 spreads retries."""

    delay: Duration = 1.0
    jitter: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no wait can be made of."""
        milliseconds("delay", self.delay)
        _check_jitter(self.jitter)


BackoffFunction = Callable[[int, BaseException], Duration]
"""A backoff of one's own: called with the number of attempts made (from 1) and the error, returns seconds or a
`timedelta`. Zero retries at once; a negative number means: do not retry, fail now (BullMQ: -1)."""

Backoff = Fixed | Exponential | BackoffFunction
"""Any of the three."""


def delay_ms(
    backoff: Backoff | None, attempts_made: int, *, random: float, error: BaseException | None = None
) -> int | None:
    """Milliseconds to wait after ``attempts_made`` attempts, or None for "do not retry".

    ``attempts_made`` counts the one that has just failed; ``random`` is in [0, 1). No backoff is no wait.
    """
    if backoff is None:
        return 0
    if isinstance(backoff, Fixed):
        return _jittered(milliseconds("delay", backoff.delay), backoff.jitter, random)
    if isinstance(backoff, Exponential):
        base = milliseconds("delay", backoff.delay)
        # Beyond 2^53 ms the exponent no longer matters, and a huge power would cost time.
        full = min(base << min(max(attempts_made - 1, 0), 64), MAX_MS)
        return _jittered(full, backoff.jitter, random)
    chosen = backoff(attempts_made, error if error is not None else Exception())
    seconds = chosen.total_seconds() if isinstance(chosen, timedelta) else chosen
    if seconds < 0:
        return None
    return milliseconds("backoff", chosen)


def _jittered(full: int, jitter: float, random: float) -> int:
    if jitter <= 0:
        return full
    lowest = full * (1 - jitter)
    return math.floor(lowest + (full - lowest) * random)
