"""Axes end at round numbers, and say times as a clock shows them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from corral.admin.lookback import Past
from corral.contracts.stretch import MINUTE_MS
from corral.dashboard.axes import amount, duration, marks, top_of_amounts, top_of_durations
from corral.dashboard.span import SPANS, Span

BERLIN = ZoneInfo("Europe/Berlin")


@given(st.floats(0, 1e15))
def test_amounts(highest: float) -> None:
    """The end of an axis is a round number that is not below anything on it, nor far above."""
    top = top_of_amounts(highest)
    assert highest <= top <= max(2, 2 * highest)
    assert float(f"{top:.1g}") == top or top == 10 * float(f"{top / 10:.1g}")
    assert len(amount(top)) <= 7
    assert len(amount(top / 2)) <= 7


@given(st.floats(0, 1e12))
def test_durations(highest: float) -> None:
    """Lengths of time end at round ones of their own, in one unit."""
    top = top_of_durations(highest)
    assert highest <= top <= max(2, 3 * highest)
    assert len(duration(top)) <= 8
    assert len(duration(top / 2)) <= 8


def past_of(span: Span, end: datetime) -> Past:
    """An empty past that ends at some time."""
    number, step = span.minutes // span.step, span.step * MINUTE_MS
    stop = int(end.timestamp() * 1000)
    return Past(stop - number * step, step, stop, (None,) * number)


def test_times_of_the_day() -> None:
    """Marks are at round times of the zone's clock, days are named, and the day on which clocks change has 25 hours."""
    hour, six, day, week = SPANS
    end = datetime(2026, 10, 26, 8, 10, tzinfo=UTC)
    assert [mark.words for mark in marks(past_of(hour, end), hour, BERLIN)] == [
        "08:15",
        "08:30",
        "08:45",
        "09:00",
    ]
    assert [mark.words for mark in marks(past_of(six, end), six, UTC)] == [
        "03:00", "04:00", "05:00", "06:00", "07:00", "08:00",
    ]  # fmt: skip
    assert [mark.words for mark in marks(past_of(day, end), day, BERLIN)] == [
        "12:00",
        "18:00",
        "Mon 26",
        "06:00",
    ]
    days = marks(past_of(week, end), week, BERLIN)
    assert [mark.words for mark in days] == [
        "Tue 20", "Wed 21", "Thu 22", "Fri 23", "Sat 24", "Sun 25", "Mon 26",
    ]  # fmt: skip
    lengths = [round((b.place - a.place) * 7 * 24) for a, b in pairwise(days)]
    assert lengths == [24, 24, 24, 24, 24, 25]


@given(
    st.sampled_from(SPANS),
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns"]),
)
def test_marks_lie_on_the_axis(span: Span, end: datetime, zone: str) -> None:
    """Between its ends, apart from each other, in any zone: a few of them."""
    found = marks(past_of(span, end.replace(second=0, microsecond=0)), span, ZoneInfo(zone))
    assert all(0 <= mark.place < 1 for mark in found)
    assert [mark.place for mark in found] == sorted({mark.place for mark in found})
    assert span.minutes // span.mark - 1 <= len(found) <= span.minutes // span.mark + 1
    assert timedelta(minutes=span.mark) >= timedelta(minutes=span.step)
