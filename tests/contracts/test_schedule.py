"""Schedules as values: what is refused, and when they run, by the clock that is given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.contracts.schedule import Cron, Every, RunAll
from corral.errors import CorralError, InvalidInput, InvalidSchedule

MINUTE = 60_000
HOUR = 60 * MINUTE
NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)


def ms(*moment: int) -> int:
    """A time in UTC, in milliseconds since the epoch."""
    return round(datetime(*moment, tzinfo=UTC).timestamp() * 1000)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("make", "field", "remedy"),
    [
        (lambda: Cron("every day"), "pattern", "5 fields"),
        (lambda: Cron(""), "pattern", "5 fields"),
        (lambda: Cron(5), "pattern", "text"),  # type: ignore[arg-type]
        (lambda: Cron("61 * * * *"), "pattern", "0-59"),
        (lambda: Cron("@reboot"), "pattern", "@daily"),
        (lambda: Cron("0 0 31 2 *"), "pattern", "would never run"),
        (lambda: Cron("0 0 * * *", tz="Berlin"), "tz", "Europe/Berlin"),
        (lambda: Cron("0 0 * * *", tz="Europe"), "tz", "no such time zone"),
        (lambda: Cron("0 0 * * *", tz=UTC), "tz", "text"),  # type: ignore[arg-type]
        (lambda: Cron("0 0 * * *", start=datetime(2025, 1, 1)), "start", "tzinfo=UTC"),  # noqa: DTZ001
        (lambda: Cron("0 0 * * *", start=NOON, end=NOON), "end", "nothing would ever run"),
        (lambda: Cron("0 0 * * *", start=NOON, immediately=True), "immediately", "one of them"),
        (lambda: Cron("0 0 * * *", limit=0), "limit", "whole number from 1"),
        (lambda: Cron("0 0 * * *", missed="all"), "missed", "RunAll(limit)"),  # type: ignore[arg-type]
        (lambda: Cron("0 0 * * *", overlap="wait"), "overlap", "cancel_running"),  # type: ignore[arg-type]
        (lambda: RunAll(0), "limit", "from 1 to 1,000"),
        (lambda: RunAll(1001), "limit", "from 1 to 1,000"),
        (Every, "interval", "Every(minutes=5)"),
        (lambda: Every(0), "interval", "longer than 0"),
        (lambda: Every(5, minutes=1), "interval", "either"),
        (lambda: Every(minutes="5"), "minutes", "number"),  # type: ignore[arg-type]
        (lambda: Every(minutes=-5), "minutes", "not negative"),
        (lambda: Every(60, offset=60), "offset", "less than the interval"),
        (lambda: Every(60, offset=10, immediately=True), "immediately", "one of them"),
        (lambda: Cron("0 0 * * *", immediately="no"), "immediately", "True or False"),  # type: ignore[arg-type]
        (lambda: Every(60, start=NOON, immediately=True), "immediately", "one of them"),
        (lambda: Every(60, start=NOON, end=NOON - timedelta(hours=1)), "end", "nothing would ever run"),
    ],
)
def test_what_cannot_be_is_refused_with_the_remedy(make: Any, field: str, remedy: str) -> None:
    """A rule that would never run, or not as meant, is refused when it is made, and the error says what to do."""
    with pytest.raises(InvalidSchedule) as caught:
        make()
    assert caught.value.field == field
    assert remedy in str(caught.value)
    assert isinstance(caught.value, InvalidInput)
    assert isinstance(caught.value, CorralError)


@pytest.mark.parametrize(
    "same", [Every(300), Every(minutes=5), Every(timedelta(minutes=5)), Every(minutes=4, seconds=60)]
)
def test_intervals_are_the_same_however_they_are_written(same: Every) -> None:
    """Seconds, a `timedelta` or units: one value."""
    assert same == Every(minutes=5)
    assert hash(same) == hash(Every(minutes=5))
    assert same.interval_ms == 5 * MINUTE


def test_a_third_of_an_hour_is_exact() -> None:
    """Units are added up before they are rounded to milliseconds."""
    assert Every(hours=1 / 3).interval_ms == 20 * MINUTE


def test_without_more_an_interval_begins_now() -> None:
    """`Every` runs first when it is made, as in BullMQ."""
    assert Every(minutes=5).first_run(1_000_123) == 1_000_123


def test_an_offset_is_a_grid() -> None:
    """With ``offset`` all runs stand at the epoch plus offset plus n intervals, the first one too."""
    rule = Every(hours=1, offset=600)
    assert rule.first_run(ms(2025, 6, 1, 12, 5)) == ms(2025, 6, 1, 12, 10)
    assert rule.first_run(ms(2025, 6, 1, 12, 10)) == ms(2025, 6, 1, 13, 10)
    assert Every(hours=1, offset=0).first_run(ms(2025, 6, 1, 12, 5)) == ms(2025, 6, 1, 13)


def test_an_interval_begins_at_its_start() -> None:
    """A start in the future is the first run and the anchor of the others; one in the past does not delay."""
    rule = Every(hours=24, start=NOON)
    assert rule.first_run(ms(2025, 5, 1)) == ms(2025, 6, 1, 12)
    assert rule.next_run(ms(2025, 6, 1, 12)) == ms(2025, 6, 2, 12)
    assert rule.first_run(ms(2025, 6, 9)) == ms(2025, 6, 9)


def test_nothing_runs_after_the_end() -> None:
    """A run at the end itself is the last."""
    cron, every = Cron("0 * * * *", end=NOON), Every(hours=1, offset=0, end=NOON)
    for rule in (cron, every):
        assert rule.next_run(ms(2025, 6, 1, 11)) == ms(2025, 6, 1, 12)
        assert rule.next_run(ms(2025, 6, 1, 12)) is None
        assert rule.upcoming(5, ms(2025, 6, 1, 10)) == [ms(2025, 6, 1, 11), ms(2025, 6, 1, 12)]
    assert Every(hours=1, end=NOON).first_run(ms(2025, 6, 1, 13)) is None
    assert Cron("0 * * * *", end=NOON, immediately=True).first_run(ms(2025, 6, 1, 13)) is None


def test_nothing_runs_after_the_year_9999() -> None:
    """An interval of many thousand years has one run: later ones cannot be told."""
    rule = Every(days=10**7)
    assert rule.first_runs(3, ms(2025, 6, 1)) == [ms(2025, 6, 1)]
    assert rule.upcoming(3, ms(2025, 6, 1)) == []


def test_a_pattern_runs_after_its_start() -> None:
    """As in BullMQ, a start that the pattern names is not a run itself."""
    rule = Cron("0 * * * *", start=NOON)
    assert rule.first_run(ms(2025, 1, 1)) == ms(2025, 6, 1, 13)


def test_immediately_is_now() -> None:
    """Only the first run is now."""
    rule = Cron("0 * * * *", immediately=True)
    assert rule.first_run(ms(2025, 6, 1, 12, 34)) == ms(2025, 6, 1, 12, 34)
    assert rule.run_after(ms(2025, 6, 1, 12, 34), ms(2025, 6, 1, 12, 34)) == ms(2025, 6, 1, 13)


@pytest.mark.parametrize("immediately", [False, True])
def test_an_interval_begins_now(immediately: bool) -> None:
    """Whether that is said or not; only ``offset`` and ``start`` say otherwise."""
    rule = Every(hours=1, immediately=immediately)
    assert rule.first_runs(2, ms(2025, 6, 1, 12, 34)) == [ms(2025, 6, 1, 12, 34), ms(2025, 6, 1, 13, 34)]


@pytest.mark.parametrize("missed", ["run_once", "skip"])
def test_missed_runs_collapse(missed: Any) -> None:
    """After a run that was late the next one is in the future."""
    for rule in (Cron("0 * * * *", missed=missed), Every(hours=1, offset=0, missed=missed)):
        assert rule.run_after(ms(2025, 6, 1, 6), ms(2025, 6, 1, 12, 30)) == ms(2025, 6, 1, 13)
        assert rule.run_after(ms(2025, 6, 1, 12), ms(2025, 6, 1, 12, 0, 1)) == ms(2025, 6, 1, 13)


@pytest.mark.parametrize("make", [lambda missed: Cron("0 * * * *", missed=missed)])
def test_missed_runs_are_made_up_for(make: Any) -> None:
    """With `RunAll` the run that follows is the oldest one missed, but never more than ``limit`` ago."""
    started = ms(2025, 6, 1, 12, 30)
    assert make(RunAll(100)).run_after(ms(2025, 6, 1, 6), started) == ms(2025, 6, 1, 7)
    assert make(RunAll(3)).run_after(ms(2025, 6, 1, 6), started) == ms(2025, 6, 1, 10)
    assert make(RunAll(3)).run_after(ms(2025, 6, 1, 10), started) == ms(2025, 6, 1, 11)
    assert make(RunAll(3)).run_after(ms(2025, 6, 1, 12), started) == ms(2025, 6, 1, 13)
    assert make(RunAll(3)).run_after(ms(2010, 6, 1, 6), started) == ms(2025, 6, 1, 10)


@given(
    every=st.integers(1, 10**9),
    offset=st.none() | st.integers(0, 10**9),
    after=st.integers(0, 4 * 10**12),
)
def test_intervals_leave_no_gap(every: int, offset: int | None, after: int) -> None:
    """The next run is after the time asked for, at most one interval away, and on the grid."""
    grid = None if offset is None else timedelta(milliseconds=offset % every)
    rule = Every(timedelta(milliseconds=every), offset=grid)
    run = rule.next_run(after)
    assert run is not None
    assert after < run <= after + every
    assert (run - (rule.offset_ms or 0)) % every == 0
