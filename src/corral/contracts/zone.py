"""Time zones by name, and what their clocks show: seconds since the epoch in, seconds out."""

from __future__ import annotations

import difflib
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from corral.errors import InvalidSchedule

__all__ = ["WallClock", "find_zone"]

DAY = 86_400
HOUR = 3_600
MINUTE = 60

_UTC_OFFSET = re.compile(r"utc(?:([+-])([0-9]{1,2})(?::([0-9]{2}))?)?\Z", re.IGNORECASE)


@lru_cache(maxsize=1024)
def find_zone(name: str) -> tzinfo:
    """The zone called ``name``: an IANA name in any case, ``UTC``, ``GMT``, or ``UTC+5:30``, as Node has them.

    Raises `InvalidSchedule`, which suggests what may be meant.
    """
    if name.lower() in {"utc", "gmt", "etc/utc"}:
        return UTC
    if fixed := _UTC_OFFSET.match(name):
        sign, hours, minutes = fixed.groups()
        offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
        if offset < timedelta(days=1):
            return timezone(-offset if sign == "-" else offset)
    found = _iana(name) or _iana(_names_in_lower_case().get(name.lower(), ""))
    if found is None:
        raise InvalidSchedule("tz", name, f"there is no such time zone{_hint(name)}")
    return found


def _iana(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):  # unknown; not a plain path; a directory such as "Europe"
        return None


@lru_cache(maxsize=1)
def _names_in_lower_case() -> dict[str, str]:
    return {name.lower(): name for name in available_timezones()}


def _hint(name: str) -> str:
    known = _names_in_lower_case()
    if not known:
        return ", and no time zone at all on this machine: pip install tzdata"
    near = difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.6)
    # "Berlin" is part of "Europe/Berlin".
    near = [full for full in known if full.endswith("/" + name.lower())] + near
    names = " or ".join(repr(known[full]) for full in dict.fromkeys(near))
    return f"; do you mean {names}?" if names else '; give an IANA name such as "Europe/Berlin"'


class WallClock:
    """The clock on a wall in some zone, which can be put forward, or to a time that it is to show.

    A time that it never shows (the clock jumps over it) becomes one that is later by the jump; one that it shows
    twice is the one nearer by offset to where the clock stood. These are the rules of Node's ``luxon``.
    """

    __slots__ = ("offset", "seconds", "zone")

    def __init__(self, zone: tzinfo, seconds: int) -> None:
        self.zone = zone
        self.seconds = seconds
        """The instant, since the epoch."""
        self.offset = self._offset_at(seconds)
        """East of UTC."""

    def copy(self) -> WallClock:
        """Another clock that shows the same."""
        other = WallClock.__new__(WallClock)
        other.zone, other.seconds, other.offset = self.zone, self.seconds, self.offset
        return other

    @property
    def shown(self) -> int:
        """What it shows, as seconds since an epoch of its own."""
        return self.seconds + self.offset

    @property
    def hour(self) -> int:
        """0 to 23."""
        return self.shown % DAY // HOUR

    @property
    def minute(self) -> int:
        """0 to 59."""
        return self.shown % HOUR // MINUTE

    @property
    def second(self) -> int:
        """0 to 59."""
        return self.shown % MINUTE

    def forward(self, seconds: int) -> None:
        """Let time pass."""
        self.seconds += seconds
        self.offset = self._offset_at(self.seconds)

    def put(self, shown: int) -> None:
        """Go to where the clock shows ``shown``."""
        before = self.offset
        seconds = shown - before
        offset = self._offset_at(seconds)
        if offset != before:
            seconds = shown - offset
            after = self._offset_at(seconds)
            if after != offset:  # it never shows this
                seconds, offset = shown - min(offset, after), max(offset, after)
        self.seconds, self.offset = seconds, offset

    def put_hour(self, hour: int) -> None:
        """Go to an hour of the day shown."""
        self.put(self.shown + (hour - self.hour) * HOUR)

    def put_minute(self, minute: int) -> None:
        """Go to a minute of the hour shown."""
        self.put(self.shown + (minute - self.minute) * MINUTE)

    def put_second(self, second: int) -> None:
        """Go to a second of the minute shown."""
        self.put(self.shown + second - self.second)

    def to_start_of(self, unit: int) -> None:
        """Go back to the start of the minute, hour or day shown; ``unit`` is its length in seconds."""
        self.put(self.shown - self.shown % unit)

    def _offset_at(self, seconds: int) -> int:
        offset = datetime.fromtimestamp(seconds, self.zone).utcoffset()
        assert offset is not None
        return offset.days * DAY + offset.seconds
