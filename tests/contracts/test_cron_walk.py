"""When cron patterns run: as Node's cron-parser says, in every zone and over every change of the clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.contracts.cron_pattern import parse_cron
from corral.contracts.cron_walk import LATEST_MS, next_run
from corral.contracts.zone import find_zone
from tests.contracts import cron_vectors

DECADES_MS = 60 * 365 * 86_400_000


@pytest.mark.parametrize("zone", cron_vectors.zones())
def test_runs_are_those_of_cron_parser(zone: str) -> None:
    """For every pattern, from before, within and behind every change of the clocks of two years, the next run is
    cron-parser's. Where that gives up (clocks that change by half an hour), there is a next run all the same."""
    found, asked = find_zone(zone), 0
    wrong: list[tuple[str, datetime, int | None, int | None]] = []
    for pattern, after_ms, run_ms in cron_vectors.answers(zone):
        own = next_run(parse_cron(pattern), found, after_ms)
        asked += 1
        if own is None or own <= after_ms or run_ms not in (own, None):
            wrong.append((pattern, datetime.fromtimestamp(after_ms / 1000, found), run_ms, own))
    assert wrong[:10] == []
    assert asked > 5_000


def test_the_vectors_are_many() -> None:
    """At least 300 patterns in 6 zones whose clocks change, and more than 100 that are refused."""
    assert len(cron_vectors.patterns()) >= 300
    assert len([zone for zone in cron_vectors.zones() if zone != "UTC"]) >= 6
    assert len(cron_vectors.refused()) > 100


def runs(pattern: str, tz: str, after: datetime, count: int) -> list[str]:
    """The next runs, by the clock of the zone."""
    zone, after_ms, shown = ZoneInfo(tz), round(after.timestamp() * 1000), list[str]()
    for _ in range(count):
        run = next_run(parse_cron(pattern), zone, after_ms)
        assert run is not None
        shown.append(datetime.fromtimestamp(run / 1000, zone).strftime("%d %H:%M %Z"))
        after_ms = run
    return shown


def test_an_hour_that_is_jumped_over_runs_in_the_next_one() -> None:
    """On 31 March 2024 clocks in Berlin go from 2:00 to 3:00."""
    before = datetime(2024, 3, 30, 12, tzinfo=UTC)
    assert runs("30 2 * * *", "Europe/Berlin", before, 2) == ["31 03:30 CEST", "01 02:30 CEST"]
    assert runs("0 2,3 * * *", "Europe/Berlin", before, 2) == ["31 03:00 CEST", "01 02:00 CEST"]


def test_an_hour_that_comes_twice_runs_once() -> None:
    """On 27 October 2024 clocks in Berlin go from 3:00 back to 2:00."""
    before = datetime(2024, 10, 26, 12, tzinfo=UTC)
    assert runs("30 2 * * *", "Europe/Berlin", before, 2) == ["27 02:30 CEST", "28 02:30 CET"]


def test_a_pattern_of_every_hour_runs_by_the_clock() -> None:
    """Hourly means every hour that passes, whatever the clock shows."""
    assert runs("0 * * * *", "Europe/Berlin", datetime(2024, 10, 26, 23, 30, tzinfo=UTC), 3) == [
        "27 02:00 CEST",
        "27 02:00 CET",
        "27 03:00 CET",
    ]


def test_clocks_that_change_by_half_an_hour() -> None:
    """On Lord Howe the clock goes from 2:00 back to 1:30 on 7 April 2024, where cron-parser finds no next run."""
    before = datetime(2024, 4, 6, 3, tzinfo=UTC)
    assert runs("0 2 * * *", "Australia/Lord_Howe", before, 2) == ["07 02:00 +1030", "08 02:00 +1030"]


@given(after=st.integers(0, LATEST_MS - DECADES_MS), index=st.integers(0, len(cron_vectors.patterns()) - 1))
def test_a_run_is_later_and_named_by_its_pattern(after: int, index: int) -> None:
    """In UTC, at any time: the next run is after it, the pattern names it, and none is between."""
    text = cron_vectors.patterns()[index]
    pattern = parse_cron(text)
    run = next_run(pattern, UTC, after)
    assert run is not None
    assert run > after
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=run)
    assert moment.month in pattern.months
    assert pattern.has_day(moment.date())
    assert (moment.hour, moment.minute, moment.second) in (
        (hour, minute, second)
        for hour in pattern.hours
        for minute in pattern.minutes
        for second in pattern.seconds
    )
    assert next_run(pattern, UTC, run - 1) == run


def test_beyond_the_calendar_there_is_no_run() -> None:
    """Python's calendar ends with the year 9999; a time before 1970 is no time of a job."""
    daily = parse_cron("@daily")
    assert next_run(daily, UTC, LATEST_MS) is None
    assert next_run(daily, UTC, LATEST_MS - 1) is not None
    assert next_run(parse_cron("0 0 29 2 *"), UTC, LATEST_MS - 1) is None
    assert next_run(daily, UTC, -1) is None
