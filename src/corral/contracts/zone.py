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

MOST_BLOCKS = 10_000
"""How many offsets of a zone are remembered: forty years."""

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

    __slots__ = ("_offset_at", "offset", "seconds", "shown")

    def __init__(self, zone: tzinfo, seconds: int) -> None:
        self._offset_at = _offsets_of(zone).at
        self.seconds = seconds
        """The instant, since the epoch."""
        self.offset = self._offset_at(seconds)
        """East of UTC."""
        self.shown = seconds + self.offset
        """What it shows, as seconds since an epoch of its own."""

    def copy(self) -> WallClock:
        """Another clock that shows the same."""
        other = WallClock.__new__(WallClock)
        other._offset_at, other.seconds = self._offset_at, self.seconds
        other.offset, other.shown = self.offset, self.shown
        return other

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
        self.shown = self.seconds + self.offset

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
        self.seconds, self.offset, self.shown = seconds, offset, seconds + offset

    def put_minute(self, minute: int) -> None:
        """Go to a minute of the hour shown."""
        self.put(self.shown + (minute - self.minute) * MINUTE)

    def put_second(self, second: int) -> None:
        """Go to a second of the minute shown."""
        self.put(self.shown + second - self.second)

    def to_start_of(self, unit: int) -> None:
        """Go back to the start of the minute, hour or day shown; ``unit`` is its length in seconds."""
        self.put(self.shown - self.shown % unit)


class _Offsets(dict[int, tuple[int, int, int]]):
    """The offsets of a zone by blocks of 36 hours (2**17 seconds): when it changes, the offsets before and after.

    No zone changes its clocks twice within such a time.
    """

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone

    def at(self, seconds: int) -> int:
        """The offset at an instant."""
        change, before, after = self[seconds >> 17]
        return before if seconds < change else after

    def __missing__(self, block: int) -> tuple[int, int, int]:
        if len(self) >= MOST_BLOCKS:
            self.clear()
        first, change = block << 17, block + 1 << 17
        before, after = self._exactly_at(first), self._exactly_at(change)
        if before != after:
            while change - first > 1:
                middle = (first + change) // 2
                first, change = (middle, change) if self._exactly_at(middle) == before else (first, middle)
        self[block] = (change, before, after)
        return self[block]

    def _exactly_at(self, seconds: int) -> int:
        offset = datetime.fromtimestamp(seconds, self._zone).utcoffset()
        assert offset is not None
        return offset.days * DAY + offset.seconds


@lru_cache(maxsize=128)
def _offsets_of(zone: tzinfo) -> _Offsets:
    return _Offsets(zone)
