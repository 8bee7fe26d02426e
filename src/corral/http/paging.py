"""Pages: as many items as asked for, 1 to 100, and an opaque cursor that leads to the next ones."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Any, Final, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, BeforeValidator, Field

from corral.http.problem import Problem

__all__ = ["MOST", "Cursor", "Limit", "Page", "next_cursor", "number_of", "page_of", "place_of", "start_of"]

T = TypeVar("T")

MOST: Final = 100
FARTHEST: Final = 2**53
_MARK: Final = "corral:"


def _clamped(value: Any) -> Any:
    try:
        return max(1, min(MOST, int(value)))
    except (TypeError, ValueError):  # Pydantic says what is wrong with it
        return value


Limit = Annotated[
    int,
    Query(description="How many to give: 1 to 100. What is outside is brought inside.", examples=[20]),
    BeforeValidator(_clamped),
]
Cursor = Annotated[
    str | None, Query(description="Where to go on: `next` of the page before.", max_length=1000)
]


class Page(BaseModel, Generic[T]):
    """Some items, and the cursor of the next ones; none when these are the last."""

    items: list[T]
    next: str | None = Field(description="Give it as `cursor` for the next page; null at the end.")


def next_cursor(place: str) -> str:
    """The cursor that stands for a place. Nobody but us reads what is in it."""
    return base64.urlsafe_b64encode(f"{_MARK}{place}".encode()).decode().rstrip("=")


def place_of(cursor: str) -> str:
    """The place that a cursor stands for. Raises `Problem` 422 for what we never gave."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        text = ""
    if not text.startswith(_MARK):
        raise Problem(422, "invalid-cursor", "this is no cursor: give `next` of the page before, or none")
    return text.removeprefix(_MARK)


def start_of(cursor: str | None) -> int:
    """How many items come before the page. Raises `Problem` 422."""
    return 0 if cursor is None else number_of(cursor)


def number_of(cursor: str) -> int:
    """The place that a cursor stands for, where places are numbers. Raises `Problem` 422."""
    place = place_of(cursor)
    if not (place.isascii() and place.isdecimal() and int(place[:20]) <= FARTHEST):
        raise Problem(422, "invalid-cursor", "this is no cursor of this list: give `next` of the page before")
    return int(place)


def page_of(items: Sequence[T], start: int, limit: int, *, read: int | None = None) -> Page[T]:
    """A page of a list that is read by its places; `read` places were looked at, if not as many as there are items."""
    full = (len(items) if read is None else read) >= limit
    return Page(items=list(items), next=next_cursor(str(start + limit)) if full else None)
