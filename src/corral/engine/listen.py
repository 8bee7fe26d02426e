"""Listen: the event stream of a queue, read from a place that is never lost."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from corral.engine.keys import QueueKeys
from corral.engine.link import Link
from corral.engine.server import Server
from corral.errors import EventsTrimmed, InvalidOption

__all__ = ["ENDINGS", "RawEvent", "last_ending", "last_event_id", "place_of", "read_events", "read_on"]

_ID: Final = re.compile(r"([0-9]{1,20})(?:-([0-9]{1,20}))?")

ENDINGS: Final = frozenset({"completed", "failed", "removed"})
"""The events after which a job is over."""

PAGE: Final = 1000
LOOK_BACK: Final = 10
"""Pages. A stream keeps about 10,000 events unless it was told otherwise."""


class RawEvent(NamedTuple):
    """One entry of the stream: its id and its fields, as text."""

    id: str
    fields: dict[str, str]


async def last_event_id(link: Link, keys: QueueKeys) -> str:
    """The id of the newest event, `0-0` when there is none: whoever reads from here misses nothing later."""
    newest = await link.call("XREVRANGE", keys.key("events"), "+", "-", "COUNT", 1)
    return newest[0][0].decode() if newest else "0-0"


async def read_events(
    link: Link, keys: QueueKeys, after: str, *, block_ms: int, count: int = 500
) -> list[RawEvent]:
    """The events after an id, waiting up to `block_ms` for the first. The link is busy for that time."""
    reply = await link.call(
        "XREAD", "COUNT", count, "BLOCK", block_ms, "STREAMS", keys.key("events"), after,
        timeout=block_ms / 1000 + link.timeout,
    )  # fmt: skip
    if not reply:
        return []
    return [RawEvent(event_id.decode(), _fields(flat)) for event_id, flat in reply[0][1] if flat]


async def read_on(
    link: Link, keys: QueueKeys, after: str, *, block_ms: int, count: int = 500
) -> list[RawEvent]:
    """As `read_events`, without a gap: the event to read on from has to be there still.

    Raises:
        EventsTrimmed: it is not, and others behind it may be gone as well. From `0-0` there is no gap.
    """
    if place_of(after) != (0, 0):
        rows = await link.call("XRANGE", keys.key("events"), after, "+", "COUNT", count + 1)
        if rows and place_of(rows[0][0].decode()) == place_of(after):
            del rows[0]
        else:
            await _check_nothing_is_missing(link, keys, after)
        if rows:
            return [RawEvent(event_id.decode(), _fields(flat)) for event_id, flat in rows if flat]
    return await read_events(link, keys, after, block_ms=block_ms, count=count)


async def _check_nothing_is_missing(link: Link, keys: QueueKeys, after: str) -> None:
    """Nothing is missing where older events are kept, nor from a moment on (milliseconds alone, which are no event) as
    long as the stream was never trimmed."""
    first = await link.call("XRANGE", keys.key("events"), "-", "+", "COUNT", 1)
    oldest = first[0][0].decode() if first else None
    if oldest is not None and place_of(oldest) <= place_of(after):
        return
    if oldest is not None and "-" not in after:
        flat = await link.call("XINFO", "STREAM", keys.key("events"))
        facts = dict(zip(flat[::2], flat[1::2], strict=True))
        if facts.get(b"entries-added") == facts[b"length"]:
            return
    raise EventsTrimmed(keys.queue, after, oldest)


def place_of(event_id: str) -> tuple[int, int]:
    """Where an event stands in its stream. Raises `InvalidOption` for what is no id."""
    found = _ID.fullmatch(event_id) if isinstance(event_id, str) else None
    if found is None or int(found[1]) >= 2**64 or int(found[2] or 0) >= 2**64:
        raise InvalidOption("after", event_id, "give the id of an event, such as 1700000000000-0")
    return int(found[1]), int(found[2] or 0)


async def last_ending(server: Server, keys: QueueKeys, wire_id: str) -> dict[str, str] | None:
    """The newest event that ended a job, for one whose hash is gone; None when the stream tells of no end."""
    before = "+"
    for _ in range(LOOK_BACK):
        entries = await server.call("XREVRANGE", keys.key("events"), before, "-", "COUNT", PAGE)
        for _, flat in entries:
            if wire_id.encode() in flat:
                fields = _fields(flat)
                if fields.get("jobId") == wire_id and fields.get("event") in ENDINGS:
                    return fields
        if len(entries) < PAGE:
            break
        before = f"({entries[-1][0].decode()}"
    return None


def _fields(flat: list[bytes]) -> dict[str, str]:
    texts = [part.decode("utf-8", "replace") for part in flat]
    return dict(zip(texts[::2], texts[1::2], strict=True))
