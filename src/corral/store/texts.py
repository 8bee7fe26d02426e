"""Texts that go into a database: which can be stored, and how others are made storable."""

from __future__ import annotations

from corral.contracts.arguments import NO_UNICODE
from corral.errors import InvalidOption

__all__ = ["label", "legible", "storable", "text_fault"]

MOST_BYTES = 4
"""Of one character in UTF-8."""
NUL = "it holds the character NUL, which PostgreSQL cannot store"


def text_fault(value: object, most_bytes: int) -> str | None:
    """Why ``value`` cannot be stored in a column for so many bytes of text, if it cannot."""
    if not isinstance(value, str):
        return f"give text, not {type(value).__name__}"
    if "\0" in value:
        return NUL
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        return NO_UNICODE
    return f"it has {size:,} bytes, and {most_bytes:,} are allowed" if size > most_bytes else None


def storable(value: object) -> bool:
    """Whether a database may be asked for ``value``: our longest columns of names have 500 characters."""
    return text_fault(value, 500 * MOST_BYTES) is None


def label(option: str, value: object) -> str:
    """``value`` as a name for people: 1 to 200 bytes. Raises `InvalidOption`."""
    reason = text_fault(value, 200) or (None if str(value).strip() else "it is empty")
    if reason is not None:
        raise InvalidOption(option, value, reason)
    return str(value)


def legible(value: str, most: int) -> str:
    """``value`` as far as it can be stored: what cannot be is written as an escape, and what is too long is cut."""
    text = value.encode(errors="backslashreplace").decode().replace("\0", "\\x00")
    return text if len(text) <= most else f"{text[: most - 1]}…"
