"""Schedules: the rules by which a job recurs, as pure values. No clock: whoever asks says what time it is.

The arithmetic is BullMQ's (wire format §23); the answers of a cron pattern are those of Node's ``cron-parser``.
All times are milliseconds since the epoch, unless they are `datetime`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Literal

from corral.contracts.cron_pattern import parse_cron
from corral.contracts.cron_walk import next_run
from corral.contracts.duration import Duration, instant_ms, milliseconds
from corral.contracts.zone import find_zone
from corral.errors import InvalidOption, InvalidSchedule

__all__ = ["MOST_RUNS_MADE_UP", "Cron", "Every", "Missed", "Overlap", "Repeat", "RunAll"]

MOST_RUNS_MADE_UP = 1000
"""The highest ``limit`` of `RunAll`."""

LATEST_MS = 253_402_300_799_999
"""The year 9999 ends: the last time that there is a `datetime` for."""


@dataclass(frozen=True, slots=True)
class RunAll:
    """Make up for missed runs, one after another, oldest first: the latest ``limit`` of them, 1 to 1,000."""

    limit: int

    def __post_init__(self) -> None:
        """Refuse limits that are none."""
        _check_count("limit", self.limit, MOST_RUNS_MADE_UP)


Missed = Literal["run_once", "skip"] | RunAll
"""What becomes of runs that nobody could start before the next one was due: one run stands for all of them (as in
BullMQ), none does, or each is made up for."""

Overlap = Literal["allow", "skip", "cancel_running"]
"""What a run does when the one before it has not ended: it starts all the same (as in BullMQ), it is left out, or the
one before is cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """What every rule has."""

    start: datetime | None = None
    """No run before this. With a time zone, as ``end``."""
    end: datetime | None = None
    """No run after this."""
    limit: int | None = None
    """Runs in all, at least 1."""
    immediately: bool = False
    """The first run is now, the others when the rule says: for a pattern. An interval begins now in any case, unless
    ``start`` or ``offset`` says when: neither goes together with this (BullMQ: immediately)."""
    missed: Missed = "run_once"
    overlap: Overlap = "allow"

    @property
    def start_ms(self) -> int | None:
        """``start`` in milliseconds since the epoch."""
        return None if self.start is None else instant_ms("start", self.start)

    @property
    def end_ms(self) -> int | None:
        """``end`` in milliseconds since the epoch."""
        return None if self.end is None else instant_ms("end", self.end)

    def next_run(self, after_ms: int) -> int | None:
        """The first run after ``after_ms``, or None when there is none before the end."""
        raise NotImplementedError

    def first_run(self, now_ms: int) -> int | None:
        """The first run of a schedule that is made now."""
        raise NotImplementedError

    def run_after(self, run_ms: int, now_ms: int) -> int | None:
        """The run that follows the one of ``run_ms`` when that is started now: ``missed`` decides how far back."""
        if isinstance(self.missed, RunAll) and run_ms < now_ms:
            made_up = self._latest_runs(run_ms, now_ms, self.missed.limit)
            if made_up:
                return made_up[0]
        return self.next_run(max(run_ms, now_ms))

    def upcoming(self, count: int, after_ms: int) -> list[int]:
        """The next ``count`` runs after ``after_ms``; fewer, when the rule ends. Does not know of ``limit``."""
        return list(islice(self._runs(after_ms), count))

    def first_runs(self, count: int, now_ms: int) -> list[int]:
        """The first ``count`` runs of a schedule that is made now; fewer, when the rule ends. Does not know of
        ``limit``."""
        first = self.first_run(now_ms)
        return [] if first is None or count < 1 else [first, *self.upcoming(count - 1, first)]

    def _runs(self, after_ms: int) -> Iterator[int]:
        run = self.next_run(after_ms)
        while run is not None:
            yield run
            run = self.next_run(run)

    def _latest_runs(self, after_ms: int, until_ms: int, count: int) -> list[int]:
        """Of the runs after ``after_ms`` until ``until_ms`` the latest ``count``, without counting from the first."""
        span = 60_000 * count
        while True:
            begin = max(after_ms, until_ms - span)
            runs: list[int] = []
            for run in self._runs(begin):
                if run > until_ms:
                    break
                runs.append(run)
            if begin == after_ms or len(runs) >= count:
                return runs[-count:]
            span *= 8


@dataclass(frozen=True, slots=True)
class Cron(_Rule):
    """Whenever a cron pattern says so, by the clock of a time zone.

    >>> Cron("0 9 * * 1-5", tz="Europe/Berlin")  # 9:00 on weekdays

    ``pattern`` is minute, hour, day of the month, month, day of the week; with a sixth field in front, the second. Or
    an alias: ``@hourly``, ``@daily``, … Names (``mon``), ranges, steps, ``L`` (last), ``5#3`` (third Friday) as in
    BullMQ. Where both days are given, one of them is enough. Raises `InvalidSchedule`.
    """

    pattern: str
    tz: str = field(default="UTC", kw_only=True)
    """An IANA name. BullMQ's default is the zone of whatever machine asks; here it is UTC, and stored as that."""

    def __post_init__(self) -> None:
        """Refuse what would never run, or not as meant."""
        if not isinstance(self.pattern, str):
            raise InvalidSchedule("pattern", self.pattern, 'a cron pattern is text: "0 9 * * 1-5"')
        parse_cron(self.pattern)
        if not isinstance(self.tz, str):
            raise InvalidSchedule("tz", self.tz, 'give the name of a time zone as text: "Europe/Berlin"')
        find_zone(self.tz)
        _check_rule(self)

    def next_run(self, after_ms: int) -> int | None:
        """The first time after ``after_ms`` (and after ``start``) that the pattern names; None behind ``end``."""
        begin = max(after_ms, self.start_ms or 0)
        run = next_run(parse_cron(self.pattern), find_zone(self.tz), begin)
        return _unless_after(self.end_ms, run)

    def first_run(self, now_ms: int) -> int | None:
        """The first run of a schedule that is made now."""
        return _unless_after(self.end_ms, now_ms) if self.immediately else self.next_run(now_ms)


@dataclass(frozen=True, slots=True, init=False)
class Every(_Rule):
    """Again and again after the same time: ``Every(minutes=5)``, ``Every(300)``, ``Every(timedelta(minutes=5))``.

    The first run is at ``start``, else at once. With ``offset`` the runs stand on a grid: at midnight UTC of 1 January
    1970 plus ``offset`` plus any number of intervals. ``Every(hours=1, offset=0)`` is on the hour,
    ``Every(hours=1, offset=600)`` ten minutes past. Raises `InvalidSchedule`.
    """

    interval: timedelta
    offset: timedelta | None

    def __init__(
        self,
        interval: Duration | None = None,
        *,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
        offset: Duration | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        limit: int | None = None,
        immediately: bool = False,
        missed: Missed = "run_once",
        overlap: Overlap = "allow",
    ) -> None:
        _Rule.__init__(
            self,
            start=start,
            end=end,
            limit=limit,
            immediately=immediately,
            missed=missed,
            overlap=overlap,
        )
        units = {"days": days, "hours": hours, "minutes": minutes, "seconds": seconds}
        length = _interval_ms(interval, {unit: value for unit, value in units.items() if value})
        # The dataclass is frozen, and its fields are not what its arguments are.
        object.__setattr__(self, "interval", timedelta(milliseconds=length))
        grid = None if offset is None else timedelta(milliseconds=_milliseconds("offset", offset))
        object.__setattr__(self, "offset", grid)
        if grid is not None and grid >= self.interval:
            raise InvalidSchedule("offset", offset, f"give less than the interval of {self.interval}")
        if grid is not None and immediately:
            raise InvalidSchedule("immediately", True, "offset= says when the first run is: give one of them")
        _check_rule(self)

    @property
    def interval_ms(self) -> int:
        """``interval`` in milliseconds."""
        return self.interval // timedelta(milliseconds=1)

    @property
    def offset_ms(self) -> int | None:
        """``offset`` in milliseconds."""
        return None if self.offset is None else self.offset // timedelta(milliseconds=1)

    def next_run(self, after_ms: int) -> int | None:
        """The first time after ``after_ms`` (not before ``start``) on the grid of ``offset``, else of ``start``, else
        of the epoch; None behind ``end``."""
        every, start = self.interval_ms, self.start_ms
        anchor = self.offset_ms if self.offset_ms is not None else (start or 0)
        earliest = max(after_ms + 1, start or 0)
        return _unless_after(self.end_ms, earliest + (anchor - earliest) % every)

    def first_run(self, now_ms: int) -> int | None:
        """The first run of a schedule that is made now: on the grid of ``offset``, else at ``start``, else now."""
        if self.offset is not None:
            return self.next_run(now_ms)
        return _unless_after(self.end_ms, max(now_ms, self.start_ms or 0))

    def first_runs(self, count: int, now_ms: int) -> list[int]:
        """As of every rule; without an ``offset`` the first run sets the grid."""
        first = self.first_run(now_ms)
        if self.offset is not None or first is None:
            return _Rule.first_runs(self, count, now_ms)
        runs = [first + step * self.interval_ms for step in range(max(0, count))]
        return [run for run in runs if _unless_after(self.end_ms, run) is not None]


Repeat = Cron | Every
"""Either of the rules."""


def _unless_after(end_ms: int | None, run_ms: int | None) -> int | None:
    last = LATEST_MS if end_ms is None else min(end_ms, LATEST_MS)
    return None if run_ms is None or run_ms > last else run_ms


def _interval_ms(interval: Duration | None, units: dict[str, float]) -> int:
    if (interval is None) == (not units):
        raise InvalidSchedule(
            "interval", interval, "give either a time, Every(300), or units, Every(minutes=5)"
        )
    if interval is not None:
        length = _milliseconds("interval", interval)
    else:
        length = sum(_milliseconds(unit, _in_seconds(unit, value)) for unit, value in units.items())
    if length == 0:
        raise InvalidSchedule("interval", interval, "an interval is longer than 0")
    return length


def _in_seconds(unit: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidSchedule(unit, value, "give a number")
    return value * {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}[unit]


def _milliseconds(name: str, value: object) -> int:
    try:
        return milliseconds(name, value)
    except InvalidOption as error:
        raise InvalidSchedule(name, value, error.reason) from None


def _check_count(name: str, value: object, most: int | None = None) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1 or (most and value > most):
        raise InvalidSchedule(name, value, f"a whole number from 1{f' to {most:,}' if most else ''}")


def _check_rule(rule: _Rule) -> None:
    try:
        start, end = rule.start_ms, rule.end_ms
    except InvalidOption as error:
        raise InvalidSchedule(error.option, error.value, error.reason) from None
    if start is not None and end is not None and end <= start:
        raise InvalidSchedule("end", rule.end, f"it is not after start={rule.start}: nothing would ever run")
    if rule.limit is not None:
        _check_count("limit", rule.limit)
    if not isinstance(rule.immediately, bool):
        raise InvalidSchedule("immediately", rule.immediately, "give True or False")
    if rule.immediately and start is not None:
        raise InvalidSchedule("immediately", True, "start= says when the first run is: give one of them")
    if not isinstance(rule.missed, RunAll) and rule.missed not in ("run_once", "skip"):
        raise InvalidSchedule("missed", rule.missed, 'give "run_once", "skip" or RunAll(limit)')
    if rule.overlap not in ("allow", "skip", "cancel_running"):
        raise InvalidSchedule("overlap", rule.overlap, 'give "allow", "skip" or "cancel_running"')
