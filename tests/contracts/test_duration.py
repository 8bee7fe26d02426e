"""Durations and instants: seconds or timedelta in, whole milliseconds out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.contracts.duration import MAX_MS, instant_ms, milliseconds
from corral.errors import InvalidOption


@given(st.integers(min_value=0, max_value=10**12))
def test_whole_milliseconds_survive(value: int) -> None:
    """Milliseconds given as seconds or as a timedelta come back exactly."""
    assert milliseconds("delay", value / 1000) == value
    assert milliseconds("delay", timedelta(milliseconds=value)) == value


@given(st.floats(min_value=0, max_value=10**9))
def test_no_wait_becomes_shorter(seconds: float) -> None:
    """A fraction of a millisecond is rounded up, up to what a float can tell apart."""
    assert milliseconds("delay", seconds) >= seconds * 1000 - 2e-3


def test_a_short_wait_is_not_none() -> None:
    """A microsecond is a millisecond, not zero."""
    assert milliseconds("delay", timedelta(microseconds=1)) == 1


@pytest.mark.parametrize(
    "value",
    [
        -1,
        -1e-9,
        float("nan"),
        float("inf"),
        "5",
        None,
        True,
        10**400,
        MAX_MS,
        timedelta.max,
        timedelta.min,
        timedelta(days=30_000_000),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_no_duration_is_refused(value: object) -> None:
    """Negative, endless, textual and absurdly long durations raise, naming the option."""
    with pytest.raises(InvalidOption) as caught:
        milliseconds("delay", value)
    assert caught.value.option == "delay"


def test_the_longest_duration() -> None:
    """Some 35,000 years: so that the present time and the longest delay together can be counted in a score."""
    longest = timedelta(milliseconds=MAX_MS)
    assert milliseconds("delay", longest) == MAX_MS
    assert (MAX_MS + instant_ms("run_at", datetime.max.replace(tzinfo=UTC))) * 4096 < 2**63
    with pytest.raises(InvalidOption, match="35,000 years"):
        milliseconds("delay", longest + timedelta(milliseconds=1))


def test_an_instant_is_absolute() -> None:
    """The time zone decides, not the wall clock."""
    summer = timezone(timedelta(hours=2))
    assert instant_ms("run_at", datetime(1970, 1, 2, 2, tzinfo=summer)) == 86_400_000
    assert instant_ms("run_at", datetime(1970, 1, 2, tzinfo=UTC)) == 86_400_000


def test_an_instant_before_the_epoch_is_the_epoch() -> None:
    """Times on the wire are not negative."""
    assert instant_ms("run_at", datetime(1960, 1, 1, tzinfo=UTC)) == 0


@pytest.mark.parametrize("value", [datetime(2030, 1, 1), 5, "2030-01-01T00:00:00Z", None])  # noqa: DTZ001
def test_a_time_without_a_zone_is_refused(value: object) -> None:
    """A naive datetime could be any of many instants."""
    with pytest.raises(InvalidOption, match="time zone"):
        instant_ms("run_at", value)
