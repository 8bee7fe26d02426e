"""Browse failures: what tells failed jobs apart, page by page. Nothing here writes."""

from __future__ import annotations

from typing import Final, NamedTuple

from corral.engine.control_all import Place
from corral.engine.keys import QueueKeys
from corral.engine.script import load
from corral.engine.server import Server

__all__ = ["FAILURES_PER_CALL", "Failure", "FailurePage", "failed_id_page", "page_failures"]

FAILURES_PER_CALL: Final = 100
"""How many failed jobs one call reads: some milliseconds of the server's time."""


class Failure(NamedTuple):
    """A failed job: what tells it from others, long texts cut."""

    wire_id: bytes
    ended: bytes
    """When (ms), as the sorted set has it."""
    name: bytes
    reason: bytes
    traces: bytes
    """The end of its `stacktrace`."""
    kind: bytes
    """Where Corral failed it, why; else empty."""
    attempts_made: bytes
    opts: bytes
    """The beginning of it."""


class FailurePage(NamedTuple):
    """Some failed jobs; how many there are in all, how many of them lie beyond the page, and where it ends."""

    total: int
    left: int
    end: Place
    failures: list[Failure]


async def page_failures(
    server: Server,
    keys: QueueKeys,
    place: Place,
    *,
    fingerprint: str = "",
    back: bool = False,
    size: int = FAILURES_PER_CALL,
) -> FailurePage:
    """The failed jobs behind a place, of all or of a group; or before it: then the job at the place comes once more, if
    it is there."""
    towards_oldest = int(back)
    total, left, score, wire_id, *rows = await server.run(
        load("browse/page_failures"),
        keys,
        keys.base,
        fingerprint,
        towards_oldest,
        place.score,
        place.job_id,
        size,
    )
    return FailurePage(total, left, Place(score, wire_id), [Failure(*row) for row in rows])


async def failed_id_page(
    server: Server, keys: QueueKeys, fingerprint: str, start: int, count: int
) -> list[bytes]:
    """A page of the ids of a group, the latest to fail first."""
    key = keys.key("failed_ids") + fingerprint
    ids: list[bytes] = await server.call("ZRANGE", key, start, start + count - 1, "REV")
    return ids
