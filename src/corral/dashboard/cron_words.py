"""Schedules in plain words. They are made of the pattern as it was read, so that they say what will run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Final

from corral.contracts.cron_pattern import CronPattern, parse_cron
from corral.contracts.schedule import Cron, Repeat

__all__ = ["words_of"]

WEEKDAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
ORDINALS: Final = ("", "first", "second", "third", "fourth", "fifth")
MOST_TIMES: Final = 6
"""So many times of the day are written out."""


def words_of(rule: Repeat | None) -> str:
    """When a schedule runs: `at 09:00, Monday to Friday`. Says nothing of the zone."""
    if rule is None:
        return "nobody can read its rule"
    if isinstance(rule, Cron):
        return _cron(parse_cron(rule.pattern))
    every = f"every {_length(rule.interval)}"
    if rule.offset is None:
        return every
    since = f"{_length(rule.offset)} past midnight" if rule.offset else "midnight"
    return f"{every}, counted from {since} UTC"


def _cron(pattern: CronPattern) -> str:
    often, time = _time(pattern)
    days = _days(pattern)
    if not days and not often:
        days = "every day"
    return ", ".join(part for part in (time, days, _months(pattern)) if part)


def _time(pattern: CronPattern) -> tuple[bool, str]:
    """The time of the day, and whether that is again and again all day long."""
    seconds, minutes, hours = pattern.seconds, pattern.minutes, pattern.hours
    if len(hours) * len(minutes) * len(seconds) <= MOST_TIMES:
        times = [_clock(h, m, s) for h in hours for m in minutes for s in seconds]
        return False, f"at {_listed(times)}"
    if len(seconds) > 1:
        parts = [_steps(seconds, 60, "second")]
        if len(minutes) < 60:
            parts.append(f"in {_numbers('minute', minutes)}")
        return True, " ".join(parts) + _within(hours)
    behind = "" if seconds == (0,) else f", {next(iter(seconds))} s past the minute"
    if len(minutes) > 1:
        return True, _steps(minutes, 60, "minute") + _within(hours) + behind
    past = "on the hour" if minutes == (0,) else f"{next(iter(minutes))} min past the hour"
    if not _stride(hours, 24):
        return True, f"{past}, in {_numbers('hour', hours)}{behind}"
    return True, f"{_steps(hours, 24, 'hour')}, {past}{behind}"


def _within(hours: Sequence[int]) -> str:
    if len(hours) == 24:
        return ""
    if len(hours) > 1 and hours[-1] - hours[0] == len(hours) - 1:
        return f" from {hours[0]:02}:00 to {hours[-1]:02}:59"
    return f" of {_numbers('hour', hours)}"


def _steps(values: Sequence[int], whole: int, unit: str) -> str:
    stride = _stride(values, whole)
    if stride == 1:
        return f"every {unit}"
    if stride:
        start = "" if values[0] == 0 else f" from {unit} {values[0]}"
        return f"every {stride} {unit}s{start}"
    return f"at {_numbers(unit, values)}"


def _stride(values: Sequence[int], whole: int) -> int:
    """The same distance from each value to the next, the first one of the next round included; else 0."""
    gaps = {after - before for before, after in pairwise([*values, values[0] + whole])}
    return gaps.pop() if len(gaps) == 1 else 0


def _days(pattern: CronPattern) -> str:
    """Where both are given, one is enough: then one that names every day names them all."""
    given = [] if pattern.any_day else [_dates(pattern)]
    given += [] if pattern.any_weekday else [_weekdays(pattern)]
    return " or ".join(given) if all(given) else ""


def _dates(pattern: CronPattern) -> str:
    days = sorted(pattern.days)
    if len(days) == 31:
        return ""
    last = ["last day of the month"] if pattern.last_day else []
    return f"on the {_listed([*_stretches(days, _ordinal), *last])}"


def _weekdays(pattern: CronPattern) -> str:
    days = sorted({day % 7 or 7 for day in pattern.weekdays})  # a week begins on Monday
    if len(days) == 7 and not pattern.nth:
        return ""
    last = [f"the last {_weekday(day)} of the month" for day in sorted(pattern.last_weekdays)]
    if pattern.nth:
        named = [f"the {ORDINALS[pattern.nth]} {_weekday(day)} of the month" for day in days]
    else:
        named = _stretches(days, _weekday)
    together = _listed([*named, *last])
    return together if named and " to " in named[0] else f"on {together}"


def _weekday(day: int) -> str:
    return WEEKDAYS[day % 7]


def _months(pattern: CronPattern) -> str:
    months = sorted(pattern.months)
    return "" if len(months) == 12 else f"in {_listed(_stretches(months, lambda month: MONTHS[month - 1]))}"


def _stretches(values: Sequence[int], named: Callable[[int], str]) -> list[str]:
    """Sorted numbers by their names, three or more in a row as `1 to 3`."""
    found: list[str] = []
    for start, end in _runs(values):
        if end - start > 1:
            found.append(f"{named(start)} to {named(end)}")
        else:
            found += map(named, sorted({start, end}))
    return found


def _runs(values: Iterable[int]) -> list[tuple[int, int]]:
    """Sorted numbers as stretches without a gap."""
    found: list[tuple[int, int]] = []
    for value in values:
        if found and value == found[-1][1] + 1:
            found[-1] = (found[-1][0], value)
        else:
            found.append((value, value))
    return found


def _clock(hour: int, minute: int, second: int) -> str:
    return f"{hour:02}:{minute:02}" + (f":{second:02}" if second else "")


def _numbers(unit: str, values: Sequence[int]) -> str:
    return f"{unit}{'s' if len(values) > 1 else ''} {_listed(_stretches(values, str))}"


def _ordinal(day: int) -> str:
    ending = "th" if 10 < day < 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending}"


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _length(time: timedelta) -> str:
    left = time // timedelta(milliseconds=1)
    parts: list[str] = []
    for unit, size in (("day", 86_400_000), ("hour", 3_600_000), ("minute", 60_000), ("second", 1000)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}{'s' if count > 1 else ''}")
    if left or not parts:
        parts.append(f"{left} ms")
    if len(parts) == 1 and parts[0].startswith("1 "):
        return parts[0][2:] if not parts[0].endswith("ms") else parts[0]
    return " ".join(parts)
