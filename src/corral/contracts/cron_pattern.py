"""Cron patterns: which seconds, minutes, hours and days they name, as BullMQ's ``cron-parser`` reads them."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from corral.errors import InvalidSchedule

__all__ = ["CronPattern", "parse_cron"]

LONGEST = 1024

ALIASES = {
    "@yearly": "0 0 0 1 1 *",
    "@annually": "0 0 0 1 1 *",
    "@monthly": "0 0 0 1 * *",
    "@weekly": "0 0 0 * * 0",
    "@daily": "0 0 0 * * *",
    "@hourly": "0 0 * * * *",
    "@minutely": "0 * * * * *",
    "@secondly": "* * * * * *",
    "@weekdays": "0 0 0 * * 1-5",
    "@weekends": "0 0 0 * * 0,6",
}
DAYS_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class _Field(NamedTuple):
    """What one field of a pattern may hold."""

    title: str
    lowest: int
    highest: int
    characters: str = "0-9*?,/-"
    names: tuple[str, ...] = ()
    """Its names; the first one stands for ``lowest``."""


_MONTHS = tuple("jan feb mar apr may jun jul aug sep oct nov dec".split())  # noqa: SIM905 - as people read them
_WEEKDAYS = tuple("sun mon tue wed thu fri sat".split())  # noqa: SIM905
_SECOND = _Field("second", 0, 59)
_MINUTE = _Field("minute", 0, 59)
_HOUR = _Field("hour", 0, 23)
_DAY = _Field("day of the month", 1, 31, "0-9*?,/L-")
_MONTH = _Field("month", 1, 12, names=_MONTHS)
_WEEKDAY = _Field("day of the week", 0, 7, "0-9*?,/L#-", _WEEKDAYS)

# What JavaScript takes for white space.
_SPACE = re.compile("[\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]+")
_NAME = re.compile("[a-z]{3}", re.IGNORECASE)
_LAST = re.compile("[0-9]{0,2}L")
_LEADING_NUMBER = re.compile("[0-9]+")


@dataclass(frozen=True, slots=True)
class CronPattern:
    """A pattern, read: what each field allows. Numbers are sorted; Sunday is 0."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    last_day: bool
    """``L``: also the last day of the month."""
    any_day: bool
    """The field is ``*`` or ``?``."""
    months: frozenset[int]
    weekdays: frozenset[int]
    last_weekdays: frozenset[int]
    """``5L``: the last Friday of the month."""
    nth: int
    """``5#3``: the third one of the month; 0 for each."""
    any_weekday: bool

    @property
    def every_hour(self) -> bool:
        """Whether it names all hours, so that a change of the clock needs no care."""
        return len(self.hours) == 24

    def has_day(self, day: date) -> bool:
        """Whether it may run on ``day``, whose month is one of ``months``.

        Where both the day of the month and the day of the week are given, one of them is enough.
        """
        if self.any_weekday:
            return self._has_day_of_month(day)
        if self.any_day:
            return self._has_weekday(day)
        return self._has_day_of_month(day) or self._has_weekday(day)

    def _has_day_of_month(self, day: date) -> bool:
        return day.day in self.days or (self.last_day and day.day == _days_in_month(day))

    def _has_weekday(self, day: date) -> bool:
        weekday = day.isoweekday() % 7
        if weekday in self.weekdays and self.nth in {0, (day.day + 6) // 7}:
            return True
        return weekday in self.last_weekdays and day.day > _days_in_month(day) - 7


def _days_in_month(day: date) -> int:
    return monthrange(day.year, day.month)[1]


@lru_cache(maxsize=4096)
def parse_cron(pattern: str) -> CronPattern:
    """Read a pattern: 5 fields, or 6 with seconds first, or an alias such as ``@daily``. Raises `InvalidSchedule`."""
    try:
        return _parse(ALIASES.get(pattern, pattern))
    except ValueError as error:
        raise InvalidSchedule("pattern", pattern, str(error)) from None


def _parse(pattern: str) -> CronPattern:
    atoms = _split(pattern)
    second, minute, hour, day, month, weekday = atoms
    weekday, nth = _split_nth(weekday)
    months = _numbers(_read(_MONTH, month))
    day_values = _read(_DAY, day)
    weekday_values = _read(_WEEKDAY, weekday)
    if "L" in weekday_values:
        raise ValueError("a lone L is no day of the week; the last Friday of the month is 5L")
    any_weekday = atoms[5] in {"*", "?"}
    days, last_day = frozenset(_numbers(day_values)), "L" in day
    if any_weekday and not last_day and min(days) > max(DAYS_IN_MONTH[month - 1] for month in months):
        raise ValueError(f"no such month has a day {min(days)}, so it would never run")
    return CronPattern(
        seconds=_numbers(_read(_SECOND, second)),
        minutes=_numbers(_read(_MINUTE, minute)),
        hours=_numbers(_read(_HOUR, hour)),
        days=days,
        last_day=last_day,
        any_day=day in {"*", "?"},
        months=frozenset(months),
        weekdays=frozenset(_numbers(weekday_values)),
        # As cron-parser does it: an L anywhere in the field makes every weekday of it mean "also the last one".
        last_weekdays=frozenset(int(str(value)[0]) % 7 for value in weekday_values)
        if "L" in atoms[5]
        else frozenset(),
        nth=nth,
        any_weekday=any_weekday,
    )


def _split(pattern: str) -> list[str]:
    """The six fields."""
    if len(pattern) > LONGEST:
        raise ValueError(f"it is longer than {LONGEST} characters")
    atoms = _SPACE.sub(" ", pattern).strip(" ").split(" ")
    if len(atoms) not in {5, 6}:
        known = f"; the aliases are {', '.join(ALIASES)}" if pattern.startswith("@") else ""
        raise ValueError(
            "it has 5 fields (minute, hour, day of the month, month, day of the week) or 6 with the second first, "
            f"not {len(atoms) if pattern.strip() else 0}{known}"
        )
    return atoms if len(atoms) == 6 else ["0", *atoms]


def _split_nth(text: str) -> tuple[str, int]:
    """``5#3``: the weekday, and which one of the month."""
    weekday, mark, nth = text.partition("#")
    if not mark:
        return text, 0
    if any(character in text for character in ",-/"):
        raise ValueError(f"in {text!r}, # cannot go with lists, ranges and steps")
    if nth not in {"1", "2", "3", "4", "5"}:
        raise ValueError(f"in {text!r}, which one of the month is 1 to 5: the third Friday is 5#3")
    return weekday, int(nth)


def _read(field: _Field, text: str) -> list[int | str]:
    """The values of one field: numbers, and texts such as ``L`` and ``5L``."""
    text = _NAME.sub(lambda match: _number_of(field, match[0]), text) if field.names else text
    if not re.fullmatch(f"[{field.characters}]+", text):
        hint = "; H is a random time for cron-parser: give a time" if "H" in text else ""
        raise ValueError(f"the {field.title} {text!r} has characters that it cannot have{hint}")
    text = re.sub("[*?]", f"{field.lowest}-{field.highest}", text)
    values: list[int | str] = []
    for part in text.split(","):
        if not part:
            raise ValueError(f"the {field.title} has an empty element in its list")
        values += _read_part(field, part)
    repeated = {value for value in values if values.count(value) > 1}
    if repeated:
        raise ValueError(f"the {field.title} names {', '.join(map(str, sorted(repeated, key=str)))} twice")
    return values


def _number_of(field: _Field, name: str) -> str:
    if name.lower() not in field.names:
        raise ValueError(f"{name!r} is no name of a {field.title}; those are {', '.join(field.names)}")
    return str(field.lowest + field.names.index(name.lower()))


def _read_part(field: _Field, part: str) -> list[int | str]:
    """A number, a range, a step, or a text with an ``L``."""
    first, slash, step = part.partition("/")
    if "/" in step:
        raise ValueError(f"the {field.title} has two steps in {part!r}")
    if slash:
        span = first if "-" in first else f"{first}-{field.highest}"
        return list(_range(field, span, _leading_number(step)))
    if "-" in part:
        return list(_range(field, part, 1))
    if "L" in part:
        if not _LAST.fullmatch(part):
            raise ValueError(f"the {field.title} {part!r} cannot be read: give L, or a number before it")
        return [part]
    value = int(part)
    if not field.lowest <= value <= field.highest:
        raise ValueError(f"the {field.title} {value} is not within {field.lowest}-{field.highest}")
    return [value % 7 if field is _WEEKDAY else value]


def _range(field: _Field, span: str, step: int | None) -> list[int]:
    ends = [_leading_number(end) for end in span.split("-")[:2]]
    low, high = ends[0], ends[1]
    if low is None or high is None or low < field.lowest or high > field.highest:
        raise ValueError(f"the {field.title} {span} is not a range within {field.lowest}-{field.highest}")
    if low > high:
        raise ValueError(
            f"the {field.title} {span} ends before it begins: write {low}-{field.highest},… instead"
        )
    if not step:
        raise ValueError(f"the {field.title} has a step of {step}: it is 1 or more")
    values = list(range(low, high + 1, step))
    if field is _WEEKDAY and high % 7 == 0 and (high - low) % step == 0 and 0 not in values:
        values.insert(0, 0)  # a range up to 7 includes Sunday, which is 0
    return values


def _leading_number(text: str) -> int | None:
    """The number that ``text`` begins with, as JavaScript's parseInt."""
    match = _LEADING_NUMBER.match(text)
    return int(match[0]) if match else None


def _numbers(values: list[int | str]) -> tuple[int, ...]:
    return tuple(sorted(value for value in values if isinstance(value, int)))
