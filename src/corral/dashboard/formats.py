"""Values as people read them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from corral.contracts.states import JobState

__all__ = [
    "LONGEST_SHOWN",
    "Cut",
    "ago",
    "count",
    "long_time",
    "milliseconds",
    "pretty",
    "seconds_between",
    "state_of",
]

LONGEST_SHOWN: Final = 64 * 1024
"""Letters of one value on a page; the rest is downloaded."""

UNITS: Final = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


class Cut(NamedTuple):
    """A text, and how many letters of it are left out."""

    text: str
    left_out: int


def count(number: int) -> str:
    """A number with its thousands apart."""
    return f"{number:,}"


def milliseconds(amount: float | None) -> str:
    """A length of time in two units at most: `1 h 20 min`, `350 ms`."""
    if amount is None:
        return "–"
    if amount < 1000:
        return f"{amount:.0f} ms"
    if amount < 60_000:
        return f"{amount / 1000:.1f} s"
    left, parts = int(amount // 1000), list[str]()
    for size, unit in UNITS:
        if left >= size and len(parts) < 2:
            parts.append(f"{left // size} {unit}")
            left %= size
    return " ".join(parts)


def ago(time: datetime | None, now: datetime | None = None) -> str:
    """How long ago, or in how long."""
    if time is None:
        return "–"
    passed = ((now or datetime.now(UTC)) - time).total_seconds() * 1000
    return f"{milliseconds(passed)} ago" if passed >= 0 else f"in {milliseconds(-passed)}"


def long_time(time: datetime | None) -> str:
    """A time in full."""
    return "–" if time is None else f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3] + " UTC"


def seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    """Milliseconds from one time to another."""
    return None if start is None or end is None else (end - start).total_seconds() * 1000


def pretty(value: Any, longest: int = LONGEST_SHOWN) -> Cut:
    """JSON with its lines indented; every integer in full, whatever a browser's own JSON would make of it."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return Cut(text[:longest], max(0, len(text) - longest))


def state_of(state: JobState | None) -> str:
    """A state's name."""
    return JobState.UNKNOWN.value if state is None else state.value
