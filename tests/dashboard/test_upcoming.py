"""The next runs of a schedule by the clock of its zone."""

from __future__ import annotations

from datetime import UTC, datetime

from corral import Cron, Every
from corral.contracts.duration import instant
from corral.dashboard.upcoming import runs_by_clock

MARCH = datetime(2026, 3, 27, 12, tzinfo=UTC)


def test_a_change_of_the_clock_is_marked() -> None:
    """The run behind the last Sunday of March stands at the same time of the day, with a mark."""
    rule = Cron("0 9 * * *", tz="Europe/Berlin")
    runs = [instant(run) for run in rule.upcoming(3, round(MARCH.timestamp() * 1000))]
    told = runs_by_clock(rule, runs, MARCH)
    assert [(run.local, run.offset) for run in told] == [
        ("Sat 2026-03-28 09:00", "UTC+1"),
        ("Sun 2026-03-29 09:00", "UTC+2"),
        ("Mon 2026-03-30 09:00", "UTC+2"),
    ]
    assert [run.mark for run in told] == ["", "clocks go forward before it: UTC+1 becomes UTC+2", ""]


def test_an_interval_has_no_zone() -> None:
    """Its runs are in UTC."""
    told = runs_by_clock(Every(hours=1), [MARCH], MARCH)
    assert told == [(MARCH, "Fri 2026-03-27 12:00", "UTC", "")]
    assert runs_by_clock(None, [], MARCH) == []


def test_half_hours_and_seconds() -> None:
    """Zones that are not whole hours ahead, and times that are not whole minutes, are written out."""
    (told,) = runs_by_clock(Cron("30 0 9 * * *", tz="Asia/Kolkata"), [MARCH.replace(second=30)], MARCH)
    assert (told.local, told.offset) == ("Fri 2026-03-27 17:30:30", "UTC+5:30")
