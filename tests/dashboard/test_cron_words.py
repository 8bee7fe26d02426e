"""Schedules in plain words."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from corral import Cron, Every, InvalidSchedule
from corral.contracts.cron_pattern import CronPattern, parse_cron
from corral.dashboard.cron_words import words_of


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("* * * * *", "every minute"),
        ("*/15 * * * *", "every 15 minutes"),
        ("10/20 * * * *", "every 20 minutes from minute 10"),
        ("*/10 * * * * *", "every 10 seconds"),
        ("@hourly", "every hour, on the hour"),
        ("5 */2 * * *", "every 2 hours, 5 min past the hour"),
        ("0 9 * * 1-5", "at 09:00, Monday to Friday"),
        ("30 0 9 * * *", "at 09:00:30, every day"),
        ("0 9 * * 0-7", "at 09:00, every day"),
        ("0 0 1 * 1", "at 00:00, on the 1st or on Monday"),
        ("0 0 L * *", "at 00:00, on the last day of the month"),
        ("0 0 * * 5L", "at 00:00, on the last Friday of the month"),
        ("0 0 * * 5#3", "at 00:00, on the third Friday of the month"),
        ("0 0 1-31 * 1", "at 00:00, every day"),
        ("0 0 29 2 *", "at 00:00, on the 29th, in February"),
        ("*/10 8-18 * * *", "every 10 minutes from 08:00 to 18:59"),
    ],
)
def test_patterns(pattern: str, words: str) -> None:
    """What a pattern names is said as people say it."""
    assert words_of(Cron(pattern)) == words


def test_intervals() -> None:
    """An interval is a length of time; on a grid it says where that begins."""
    assert words_of(Every(minutes=1)) == "every minute"
    assert words_of(Every(timedelta(hours=1, minutes=30))) == "every 1 hour 30 minutes"
    assert words_of(Every(0.25)) == "every 250 ms"
    assert words_of(Every(hours=1, offset=600)) == "every hour, counted from 10 minutes past midnight UTC"
    assert words_of(None) == "nobody can read its rule"


def _field(lowest: int, highest: int) -> st.SearchStrategy[str]:
    number = st.integers(lowest, highest)
    pair = st.tuples(number, number).map(sorted)
    return (
        st.just("*")
        | st.integers(2, 20).map(lambda step: f"*/{step}")
        | pair.map(lambda ends: f"{ends[0]}-{ends[1]}")
        | st.lists(number, min_size=1, max_size=4, unique=True).map(lambda found: ",".join(map(str, found)))
    )


FIELDS = (_field(0, 59), _field(0, 59), _field(0, 23), _field(1, 31), _field(1, 12), _field(0, 6))
patterns = st.tuples(*FIELDS)
DAYS = [date(2027, 1, 1) + timedelta(days=number) for number in range(2 * 366)]


def _meaning(pattern: CronPattern) -> tuple[object, ...]:
    """The times of the day, and the days of two years, one of which is a leap year."""
    days = [day for day in DAYS if day.month in pattern.months and pattern.has_day(day)]
    return pattern.seconds, pattern.minutes, pattern.hours, days


@given(patterns, st.integers(0, 5), st.data())
def test_the_same_words_mean_the_same_times(pattern: tuple[str, ...], at: int, data: st.DataObject) -> None:
    """Two patterns that differ in one field and name different times are not described alike."""
    other = [*pattern]
    other[at] = data.draw(FIELDS[at])
    one, two = " ".join(pattern), " ".join(other)
    try:
        rules = Cron(one), Cron(two)
    except InvalidSchedule:  # the 30th of February
        reject()
    if words_of(rules[0]) == words_of(rules[1]):
        assert _meaning(parse_cron(one)) == _meaning(parse_cron(two)), (one, two)
