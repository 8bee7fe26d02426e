"""The next runs of a schedule, by the clock of its zone, with a mark where that clock is changed in between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, NamedTuple

from corral.contracts.schedule import Cron, Repeat
from corral.contracts.zone import find_zone

__all__ = ["Run", "runs_by_clock"]

NONE: Final = timedelta(0)


class Run(NamedTuple):
    """One run to come."""

    at: datetime
    """UTC."""
    local: str
    """As the clock of the zone shows it: `Mon 2026-03-30 09:00`."""
    offset: str
    """How far that clock is ahead of UTC: `UTC+2`."""
    mark: str
    """What happens to the clock between the run before and this one; mostly nothing."""


def runs_by_clock(rule: Repeat | None, runs: Iterable[datetime], now: datetime) -> list[Run]:
    """The runs of a rule as its zone has them: that of a pattern, UTC for an interval."""
    zone = find_zone(rule.tz) if isinstance(rule, Cron) else UTC
    return list(_marked(runs, zone, now.astimezone(zone).utcoffset() or NONE))


def _marked(runs: Iterable[datetime], zone: tzinfo, before: timedelta) -> Iterator[Run]:
    for run in runs:
        local = run.astimezone(zone)
        offset = local.utcoffset() or NONE
        mark = ""
        if offset != before:
            way = "forward" if offset > before else "back"
            mark = f"clocks go {way} before it: {_shown(before)} becomes {_shown(offset)}"
        clock = f"{local:%a %Y-%m-%d %H:%M}" + (f":{local:%S}" if local.second else "")
        yield Run(run, clock, _shown(offset), mark)
        before = offset


def _shown(offset: timedelta) -> str:
    minutes = round(offset.total_seconds() / 60)
    hours, left = divmod(abs(minutes), 60)
    return (
        "UTC" if not minutes else f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{left:02}" if left else "")
    )
