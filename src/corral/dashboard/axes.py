"""Axes: round numbers up the side, times of the day along the bottom."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import Final, NamedTuple

from corral.admin.lookback import Past
from corral.contracts.stretch import QUARTER_MS
from corral.dashboard.span import Span, clock_of, day_of

__all__ = ["Mark", "amount", "duration", "marks", "top_of_amounts", "top_of_durations"]

SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000
ROUND: Final = (2, 4, 6, 8, 10)
"""Their halves are round, too."""
ROUND_TIMES: Final = (
    2, 4, 10, 20, 40, 100, 200, 400, SECOND, 2 * SECOND, 4 * SECOND, 10 * SECOND, 20 * SECOND, 40 * SECOND, MINUTE,
    2 * MINUTE, 4 * MINUTE, 10 * MINUTE, 20 * MINUTE, 40 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 12 * HOUR, DAY,
)  # fmt: skip
UNITS: Final = ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s"))


class Mark(NamedTuple):
    """A place along an axis, from 0 to 1, and what stands there."""

    place: float
    words: str


def top_of_amounts(highest: float) -> float:
    """The smallest round number that is not below it."""
    ten = 10.0 ** max(0, math.ceil(math.log10(max(highest, 1))) - 1)
    return next((one * ten for one in ROUND if one * ten >= highest), 100 * ten)


def top_of_durations(highest: float) -> float:
    """The smallest round length of time (ms) that is not below it."""
    return next((one for one in ROUND_TIMES if one >= highest), DAY * top_of_amounts(highest / DAY))


def amount(number: float) -> str:
    """`5`, `2,500`, `40k`, `1.5M`."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= 10 * size or number >= size >= 1e6:
            return f"{number / size:g}{letter}"
    return f"{number:,.0f}" if number >= 10 or number == int(number) else f"{number:.1f}"


def duration(milliseconds: float) -> str:
    """A round length of time in one unit: `50 ms`, `2 min`."""
    for size, unit in UNITS:
        if milliseconds >= size:
            return f"{milliseconds / size:g} {unit}"
    return f"{milliseconds:g} ms" if milliseconds else "0"


def marks(past: Past, span: Span, zone: tzinfo) -> list[Mark]:
    """Round times of the zone's clock: a weekday where a day begins, in spans of a day and more."""
    length = past.step * len(past.stretches)

    def found() -> Iterator[Mark]:
        for at in range(-(-past.begin // QUARTER_MS) * QUARTER_MS, past.begin + length, QUARTER_MS):
            local = datetime.fromtimestamp(at / 1000, zone)
            of_day = local.hour * 60 + local.minute
            if of_day % span.mark == 0:
                is_day = of_day == 0 and span.minutes >= 24 * 60
                yield Mark((at - past.begin) / length, (day_of if is_day else clock_of)(at, zone))

    return list(found())
