"""Durations: a `timedelta` or a number of seconds in Python, whole milliseconds on the wire."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from corral.errors import InvalidOption

__all__ = ["MAX_MS", "Duration", "instant", "instant_ms", "milliseconds"]

Duration = timedelta | float
"""A length of time: a `timedelta`, or seconds."""

MAX_MS = 2**50 - 1
"""The longest duration, in milliseconds: some 35,000 years. Added to the present time it stays below 2**51, where the
scores of delayed jobs end."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def milliseconds(option: str, value: object) -> int:
    """``value`` in whole milliseconds, rounded up so that a short wait is not none. Raises `InvalidOption`."""
    if isinstance(value, timedelta):
        whole, part = divmod(value, timedelta(milliseconds=1))
        result = whole + bool(part)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        result = _rounded_up(value)
    else:
        raise InvalidOption(option, value, "give a timedelta, or a number of seconds")
    if result < 0:
        raise InvalidOption(option, value, "a duration is finite and not negative")
    if result > MAX_MS:
        raise InvalidOption(option, value, "longer than a job queue can count (35,000 years)")
    return result


def instant_ms(option: str, value: object) -> int:
    """``value`` in milliseconds since the epoch. Raises `InvalidOption` for a time without a time zone."""
    if not isinstance(value, datetime):
        raise InvalidOption(option, value, "give a datetime with a time zone")
    if value.tzinfo is None or value.utcoffset() is None:
        raise InvalidOption(option, value, "it has no time zone: datetime(…, tzinfo=UTC)")
    return max(0, round(value.timestamp() * 1000))


def instant(milliseconds: int) -> datetime:
    """The time that is so many milliseconds after the epoch, in UTC. `OverflowError` beyond the year 9999."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def _rounded_up(seconds: float) -> int:
    """Milliseconds of a number of seconds; -1 for what is none."""
    if seconds < 0 or (isinstance(seconds, float) and not math.isfinite(seconds)):
        return -1
    exact = min(seconds, MAX_MS) * 1000
    nearest = round(exact)
    # 1.001 s is a hair more than 1,001 ms in binary, and is not meant to be 1,002.
    return nearest if math.isclose(exact, nearest, rel_tol=1e-15, abs_tol=1e-6) else math.ceil(exact)
