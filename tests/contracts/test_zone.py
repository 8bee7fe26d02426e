"""Time zones by name, and wall clocks in them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.contracts.zone import WallClock, find_zone
from corral.errors import InvalidSchedule


@pytest.mark.parametrize("name", ["UTC", "utc", "GMT", "Etc/UTC"])
def test_utc_needs_no_zone_files(name: str) -> None:
    """UTC by any of its names is Python's own."""
    assert find_zone(name) is UTC


@pytest.mark.parametrize(
    ("name", "hours"),
    [("Europe/Berlin", 2), ("europe/berlin", 2), ("UTC+5:30", 5.5), ("utc-3", -3), ("Asia/Kolkata", 5.5)],
)
def test_zones_as_node_names_them(name: str, hours: float) -> None:
    """IANA names in any case, and offsets from UTC."""
    offset = datetime(2025, 6, 1, tzinfo=find_zone(name)).utcoffset()
    assert offset is not None
    assert offset.total_seconds() == hours * 3600


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Berlin", "Europe/Berlin"),
        ("Europe/Berln", "Europe/Berlin"),
        ("Europe", "Europe/"),
        ("../etc/passwd", "IANA"),
        ("/etc/localtime", "no such"),
        ("", "IANA"),
        ("UTC+99", "no such"),
        ("x\0y", "IANA"),
    ],
)
def test_no_zone_is_refused_with_a_hint(name: str, hint: str) -> None:
    """What is no zone is refused; the error suggests what may be meant."""
    with pytest.raises(InvalidSchedule, match=hint) as caught:
        find_zone(name)
    assert caught.value.field == "tz"


@given(
    seconds=st.integers(0, 7 * 10**9), zone=st.sampled_from(["Europe/Berlin", "Australia/Lord_Howe", "UTC"])
)
def test_a_wall_clock_shows_what_python_says(seconds: int, zone: str) -> None:
    """Hour, minute and second of any instant are those of `datetime`."""
    clock, told = WallClock(find_zone(zone), seconds), datetime.fromtimestamp(seconds, find_zone(zone))
    assert (clock.hour, clock.minute, clock.second) == (told.hour, told.minute, told.second)
    assert clock.shown - clock.offset == clock.seconds == seconds


def test_a_time_that_is_never_shown_is_later_by_the_jump() -> None:
    """2:30 on the morning when the clock goes from 2:00 to 3:00 is 3:30."""
    clock = WallClock(find_zone("Europe/Berlin"), round(datetime(2024, 3, 31, tzinfo=UTC).timestamp()))
    clock.put(clock.shown - clock.shown % 86_400 + 2 * 3600 + 30 * 60)
    assert (clock.hour, clock.minute) == (3, 30)
