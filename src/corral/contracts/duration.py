"""Durations: a `timedelta` or a number of seconds in Python, whole milliseconds on the wire."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from corral.errors import InvalidOption

__all__ = ["MAX_MS", "Duration", "instant_ms", "milliseconds"]

Duration = timedelta | float
"""A length of time: a `timedelta`, or seconds."""

MAX_MS = 2**53 - 1
"""The longest duration and the latest time, in milliseconds: what every client reads as an exact number."""


def milliseconds(option: str, value: object) -> int:
    """``value`` in whole milliseconds, rounded up so that a short wait is not none. Raises `InvalidOption`."""
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        seconds = float(min(value, MAX_MS))  # an int may be too large for a float
    else:
        raise InvalidOption(option, value, "give a timedelta, or a number of seconds")
    if not math.isfinite(seconds) or seconds < 0:
        raise InvalidOption(option, value, "a duration is finite and not negative")
    # The rounding keeps 0.1 s at 100 ms: 0.1 * 1000 may be a hair above.
    result = math.ceil(round(seconds * 1000, 6))
    if result > MAX_MS:
        raise InvalidOption(option, value, "longer than a job queue can count (285,000 years)")
    return result


def instant_ms(option: str, value: object) -> int:
    """``value`` in milliseconds since the epoch. Raises `InvalidOption` for a time without a time zone."""
    if not isinstance(value, datetime):
        raise InvalidOption(option, value, "give a datetime with a time zone")
    if value.tzinfo is None or value.utcoffset() is None:
        raise InvalidOption(option, value, "it has no time zone: datetime(…, tzinfo=UTC)")
    return max(0, round(value.timestamp() * 1000))
