"""What stands in a column and cannot be read. SQLite keeps any text in any column, and people write SQL by hand: one
such row must not hide the others."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final

__all__ = ["NO_TIME", "Unreadable", "read_json", "read_time"]

NO_TIME: Final = datetime.min.replace(tzinfo=UTC)
"""A time that is none: before all others, so that what ends there has ended."""


class Unreadable(str):
    """A text that ought to be JSON and is not."""

    __slots__ = ()


def read_json(stored: str | bytes) -> Any:
    """A value, or the text as `Unreadable`."""
    text = stored.decode(errors="replace") if isinstance(stored, bytes) else stored
    try:
        value = json.loads(text)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()  # no NaN, and no half of a character
    except (ValueError, RecursionError):
        return Unreadable(text.encode(errors="replace").decode())
    return value


def read_time(stored: object) -> datetime:
    """A time in UTC, which SQLite keeps as text without saying so; `NO_TIME` for what is none."""
    try:
        found = datetime.fromisoformat(str(stored))
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return NO_TIME
