"""How far back a page looks, and the words for its times."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Final, NamedTuple

from starlette.requests import Request

from corral.contracts.zone import find_zone
from corral.errors import InvalidSchedule

__all__ = ["SPANS", "Span", "clock_of", "day_of", "span_of", "zone_of"]

ZONE_COOKIE: Final = "corral-zone"
LONGEST_ZONE: Final = 40


class Span(NamedTuple):
    """The last so many minutes, in stretches of `step` minutes, or of `coarse` ones where many queues are shown, with a
    mark on the axis each `mark` minutes."""

    name: str
    words: str
    minutes: int
    step: int
    coarse: int
    mark: int


SPANS: Final = (
    Span("1h", "hour", 60, 1, 1, 15),
    Span("6h", "6 hours", 6 * 60, 2, 5, 60),
    Span("24h", "24 hours", 24 * 60, 15, 30, 6 * 60),
    Span("7d", "7 days", 7 * 24 * 60, 60, 120, 24 * 60),
)


def span_of(request: Request) -> Span:
    """The span that is asked for; an hour unless it is one of those."""
    asked = request.query_params.get("range")
    return next((span for span in SPANS if span.name == asked), SPANS[0])


def zone_of(request: Request) -> tzinfo:
    """The zone of the browser's clock, as the page's script has noted it; UTC before, and for what is none."""
    name = request.cookies.get(ZONE_COOKIE, "")
    try:
        return find_zone(name) if 0 < len(name) <= LONGEST_ZONE else UTC
    except InvalidSchedule:
        return UTC


def clock_of(at_ms: int, zone: tzinfo) -> str:
    """`14:05`."""
    return f"{datetime.fromtimestamp(at_ms / 1000, zone):%H:%M}"


def day_of(at_ms: int, zone: tzinfo) -> str:
    """`Tue 24`."""
    return f"{datetime.fromtimestamp(at_ms / 1000, zone):%a %d}"
