"""Events of a program's own: which names and fields they may have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from corral.contracts.event import EventName
from corral.errors import InvalidEvent

__all__ = ["MOST_BYTES", "MOST_FIELDS", "event_words"]

MOST_BYTES: Final = 64 * 1024
"""Of all names and values of one event together: the stream keeps thousands of them in memory."""
MOST_FIELDS: Final = 64
LONGEST_NAME: Final = 200

RESERVED: Final = frozenset(EventName) | {"error", "ioredis:close"}
"""BullMQ's own events, and names that mean something to every emitter of Node: a listener there would take the one for
the life of a job, and fall over the other."""


def event_words(name: str, fields: Mapping[str, str] | None) -> list[str]:
    """The fields of an event as words: name and value in turn. Raises `InvalidEvent`, which says what is allowed."""
    _check_name(name)
    if fields is not None and not isinstance(fields, Mapping):
        raise InvalidEvent(
            name, f"its fields are names with their texts, a dict, not {type(fields).__name__}"
        )
    words: list[str] = []
    for field, value in (fields or {}).items():
        if field == "event":
            raise InvalidEvent(name, "the field 'event' holds the event's own name")
        for part in (field, value):
            _check_text(name, f"field {field!r}", part)
            words.append(part)
    if len(words) > 2 * MOST_FIELDS:
        raise InvalidEvent(name, f"it has {len(words) // 2} fields and {MOST_FIELDS} are allowed")
    size = sum(len(word.encode()) for word in (name, *words))
    if size > MOST_BYTES:
        raise InvalidEvent(
            name, f"it is {size:,} bytes long and {MOST_BYTES:,} are allowed: publish a reference"
        )
    return words


def _check_name(name: Any) -> None:
    _check_text(str(name), "its name", name)
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidEvent(name, f"give a name of 1 to {LONGEST_NAME} printable characters")
    # Node tells those who wait for one job by the event `completed:<id>`.
    if name in RESERVED or name.partition(":")[0] in RESERVED:
        raise InvalidEvent(
            name, "the name is BullMQ's own: give one with a word of yours, such as 'shop.paid'"
        )


def _check_text(event: str, what: str, value: Any) -> None:
    if not isinstance(value, str):
        raise InvalidEvent(
            event, f"{what} is {type(value).__name__} and has to be text: use json.dumps(…) or str(…)"
        )
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidEvent(event, f"{what} is not valid Unicode (a lone surrogate)") from None
