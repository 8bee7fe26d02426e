"""Cron patterns: what they name, and which are refused."""

from __future__ import annotations

from datetime import date

import pytest

from corral.contracts.cron_pattern import ALIASES, parse_cron
from corral.errors import InvalidSchedule
from tests.contracts import cron_vectors


@pytest.mark.parametrize("pattern", cron_vectors.patterns())
def test_what_cron_parser_takes_is_taken(pattern: str) -> None:
    """Every pattern of the vectors can be read."""
    assert parse_cron(pattern).hours


@pytest.mark.parametrize("pattern", cron_vectors.refused())
def test_what_cron_parser_refuses_is_refused(pattern: str) -> None:
    """And the error names the pattern."""
    with pytest.raises(InvalidSchedule) as caught:
        parse_cron(pattern)
    assert caught.value.field == "pattern"
    assert caught.value.value == pattern
    assert caught.value.reason


@pytest.mark.parametrize(
    ("pattern", "remedy"),
    [
        ("", "5 fields"),
        ("0 0 * *", "not 4"),  # cron-parser would put a star in front: every minute of the hour 0
        ("H H * * *", "give a time"),  # cron-parser gives another time at every start
        ("0 0 * mon *", "jan, feb"),  # cron-parser takes it for january
        ("0 0 * * jan", "sun, mon"),
        ("0 0 31 4,6 *", "never run"),  # cron-parser looks for it for 142 years
        ("0 0 * * 1#2.5", "5#3"),
        ("0 0 * * L", "5L"),
        ("0 22-6 * * *", "22-23"),
        ("0 0 * * 0,7", "twice"),
        ("@reboot", "@daily"),
        ("* * * * * * *", "not 7"),
    ],
)
def test_what_is_hardly_meant_is_refused_with_the_remedy(pattern: str, remedy: str) -> None:
    """Also some patterns that cron-parser takes for something that nobody means."""
    with pytest.raises(InvalidSchedule, match=remedy):
        parse_cron(pattern)


def test_aliases_are_patterns() -> None:
    """Each alias is what cron-parser has for it."""
    for alias, pattern in ALIASES.items():
        assert parse_cron(alias) == parse_cron(pattern)


def test_five_fields_are_at_second_zero() -> None:
    """The second is the first of six fields."""
    assert parse_cron("30 9 * * *") == parse_cron("0 30 9 * * *")


def test_either_day_is_enough() -> None:
    """Where day of the month and day of the week are both given, a day is one or the other; a star is not given."""
    both = parse_cron("0 0 13 * 5")
    assert both.has_day(date(2024, 9, 13))
    assert both.has_day(date(2024, 11, 13))  # a Wednesday
    assert both.has_day(date(2024, 9, 6))
    assert not both.has_day(date(2024, 9, 7))
    assert not parse_cron("0 0 13 * *").has_day(date(2024, 9, 6))
    assert not parse_cron("0 0 * * 5").has_day(date(2024, 11, 13))


def test_last_days() -> None:
    """``L`` is the last day of the month, ``5L`` the last Friday, ``5#3`` the third."""
    assert [day for day in range(1, 30) if parse_cron("0 0 L * *").has_day(date(2024, 2, day))] == [29]
    assert [day for day in range(1, 30) if parse_cron("0 0 * * 5L").has_day(date(2024, 2, day))] == [23]
    assert [day for day in range(1, 30) if parse_cron("0 0 * * 5#3").has_day(date(2024, 2, day))] == [16]


def test_sunday_has_two_numbers() -> None:
    """0 and 7, alone and at the end of a range."""
    sunday = date(2024, 9, 1)
    for field in ("0", "7", "sun", "SUN", "5-7", "0-1", "1-7/3"):
        assert parse_cron(f"0 0 * * {field}").has_day(sunday), field
