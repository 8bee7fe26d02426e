"""The next run of a cron pattern: a walk over the wall clock, step for step as BullMQ's ``cron-parser`` takes it.

Where the clock is changed, the answer depends on the way by which a time is reached, so the way is the same:

- An hour that the clock jumps over runs in the hour that it lands in, when the walk comes from before the jump.
- An hour that the clock shows twice runs the first time only, when the walk comes from before it.
- A pattern that names all hours takes no notice: it runs by the clock on the wall.
- After a jump at midnight the hours jumped over do not run on that day.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import date, tzinfo

from corral.contracts.cron_pattern import DAYS_IN_MONTH, CronPattern
from corral.contracts.zone import DAY, HOUR, MINUTE, WallClock

__all__ = ["next_run"]

MOST_STEPS = 10_000
"""A pattern whose next day is further away (decades) has none, as for cron-parser."""

LATEST_MS = 253_370_764_800_000
"""The year 9999: the end of Python's calendar, less a year to look ahead in."""

_EPOCH = date(1970, 1, 1).toordinal()


def next_run(pattern: CronPattern, zone: tzinfo, after_ms: int) -> int | None:
    """The first time after ``after_ms`` that ``pattern`` names in ``zone``. Milliseconds since the epoch."""
    if not 0 <= after_ms < LATEST_MS:
        return None
    walk = _Walk(pattern, WallClock(zone, after_ms // 1000))
    if after_ms % 1000:
        walk.step(1)
    start = after_ms / 1000
    for _ in range(MOST_STEPS):
        if walk.arrived():
            if walk.clock.seconds != start:
                return walk.clock.seconds * 1000
            walk.step(1)
        if walk.clock.seconds * 1000 >= LATEST_MS:
            break
    return None


class _Walk:
    """A clock on its way to the next time that a pattern names."""

    __slots__ = ("_changing_day", "_landing", "_pattern", "_repeated", "_skipped", "clock")

    def __init__(self, pattern: CronPattern, clock: WallClock) -> None:
        self._pattern = pattern
        self.clock = clock
        self._skipped: int | None = None
        """The first hour that the clock has jumped over on this way,"""
        self._landing: int | None = None
        """and the hour in which it landed."""
        self._repeated: int | None = None
        """The hour that begins for the second time where the clock is now."""
        self._changing_day: tuple[int, bool] | None = None

    def arrived(self) -> bool:
        """Whether the pattern names the time that the clock shows; if not, one step towards such a time is taken."""
        pattern, clock = self._pattern, self.clock
        day = date.fromordinal(_EPOCH + clock.shown // DAY)
        if day.month not in pattern.months:
            self._next_month(day)
        elif not pattern.has_day(day):
            self._next_day()
        elif not self._in_hour():
            pass
        elif clock.minute not in pattern.minutes:
            self._next_minute()
        elif clock.second not in pattern.seconds:
            self._next_second()
        else:
            return True
        return False

    def step(self, unit: int) -> None:
        """Go to the start of the next hour, minute or second, and note if the clock was changed on the way."""
        clock = self.clock
        hour, offset, began = clock.hour, clock.offset, clock.seconds
        clock.forward(unit)
        if unit > 1:
            clock.to_start_of(unit)
            if clock.seconds <= began:
                # Put back by half an hour, it shows the old hour again: on to the next one. cron-parser stays here.
                clock.forward(unit)
                clock.forward(-clock.shown % unit)
        if self._pattern.every_hour:
            return
        passed = (clock.hour - hour) % 24
        if passed >= 2 and clock.offset > offset:
            self._skipped, self._landing = (hour + 1) % 24, clock.hour
        elif passed == 0 and clock.minute == 0 and clock.second == 0:
            self._repeated = clock.hour

    def _in_hour(self) -> bool:
        """Whether the hour shown is one of the pattern's; if not, a step is taken."""
        hours, hour = self._pattern.hours, self.clock.hour
        if self._landing == hour and self._has_skipped(hour):
            return True
        if self._repeated == hour:
            self._repeated = None
            self.step(HOUR)
            return False
        if hour in hours:
            return True
        self._skipped = self._landing = None
        later = _next_in(hours, hour)
        if later is None:
            self._next_day()
        else:
            self._go_to_hour(hour, later)
        return False

    def _has_skipped(self, landing: int) -> bool:
        """Whether one of the pattern's hours was jumped over."""
        assert self._skipped is not None
        jumped = (landing - self._skipped) % 24
        return any((self._skipped + index) % 24 in self._pattern.hours for index in range(jumped))

    def _go_to_hour(self, hour: int, later: int) -> None:
        minute, second = self._pattern.minutes[0], self._pattern.seconds[0]
        if not self._clock_changes_today():
            midnight = self.clock.shown - self.clock.shown % DAY
            self.clock.put(midnight + later * HOUR + minute * MINUTE + second)
            return
        for _ in range(later - hour):
            self.step(HOUR)
            if self.clock.hour >= later:
                break
        self.clock.put_minute(minute)
        self.clock.put_second(second)

    def _clock_changes_today(self) -> bool:
        today = self.clock.shown // DAY
        if self._changing_day is None or self._changing_day[0] != today:
            morning, night = self.clock.copy(), self.clock.copy()
            morning.to_start_of(DAY)
            night.put(night.shown + DAY)
            night.to_start_of(DAY)
            night.forward(-1)
            self._changing_day = (today, morning.offset != night.offset)
        return self._changing_day[1]

    def _next_second(self) -> None:
        later = _next_in(self._pattern.seconds, self.clock.second)
        if later is None:
            self.step(MINUTE)
            later = self._pattern.seconds[0]
        self.clock.put_second(later)

    def _next_minute(self) -> None:
        later = _next_in(self._pattern.minutes, self.clock.minute)
        if later is None:
            self.step(HOUR)
            later = self._pattern.minutes[0]
        self.clock.put_minute(later)
        self.clock.put_second(self._pattern.seconds[0])

    def _next_day(self) -> None:
        self.clock.put(self.clock.shown + DAY)
        self.clock.to_start_of(DAY)

    def _next_month(self, today: date) -> None:
        year, month = (today.year + 1, 1) if today.month == 12 else (today.year, today.month + 1)
        # By way of the same day and time of the next month: which offset holds there decides between two midnights.
        day = min(today.day, _length_of(year, month))
        clock = self.clock
        clock.put((date(year, month, day).toordinal() - _EPOCH) * DAY + clock.shown % DAY)
        clock.put((date(year, month, 1).toordinal() - _EPOCH) * DAY)


def _length_of(year: int, month: int) -> int:
    if month == 2 and (year % 4 or (year % 100 == 0 and year % 400)):
        return 28
    return DAYS_IN_MONTH[month - 1]


def _next_in(values: tuple[int, ...], value: int) -> int | None:
    index = bisect_right(values, value)
    return values[index] if index < len(values) else None
