"""Browse a whole queue: its settings, priorities, lists and keys. Nothing here writes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Final, NamedTuple

from corral.engine.browse import escape
from corral.engine.key_owner import places_below
from corral.engine.keys import QueueKeys
from corral.engine.script import load
from corral.engine.server import Server

__all__ = [
    "ListChangesTooFast",
    "Settings",
    "count_keys",
    "count_place",
    "count_priorities",
    "find_orphans",
    "listed_ids",
    "read_settings",
    "scan_keys",
]

PRIORITIES_PER_CALL: Final = 100
KEYS_PER_CALL: Final = 1000
IDS_PER_CALL: Final = 2000
RESTARTS: Final = 20


class Settings(NamedTuple):
    """The settings of a queue as `meta` has them, its limits aside; None where nothing is set."""

    paused: bool
    max_events: int | None
    version: str | None
    peers: int | None


class ListChangesTooFast(Exception):
    """A list could not be read as a whole, because what was read last had left it whenever reading went on."""


async def read_settings(server: Server, keys: QueueKeys) -> Settings:
    """What `meta` says."""
    names = ("paused", "opts.maxLenEvents", "version", "corral.peers")
    paused, max_events, version, peers = await server.call("HMGET", keys.key("meta"), *names)
    said = None if version is None else version.decode(errors="replace")
    return Settings(paused is not None, _number(max_events), said, _number(peers))


def _number(text: bytes | None) -> int | None:
    try:
        return None if text is None else int(float(text))
    except (ValueError, OverflowError):
        return None


async def count_place(server: Server, keys: QueueKeys, name: str) -> int:
    """How many ids stand in one of the lists or sorted sets of a queue."""
    command = "LLEN" if name in ("wait", "paused", "active") else "ZCARD"
    count: int = await server.call(command, keys.key(name))
    return count


async def count_priorities(
    server: Server, keys: QueueKeys, after: int = 0, *, most: int = PRIORITIES_PER_CALL
) -> dict[int, int]:
    """How many jobs the first `most` priorities behind `after` have that any job has, the lowest number first."""
    flat: list[int] = await server.run(load("browse/count_priorities"), keys, after, most)
    return dict(zip(flat[::2], flat[1::2], strict=True))


async def count_keys(server: Server, keys: QueueKeys) -> int:
    """How many keys the server of a queue has in all: so many are looked at to find those of the queue."""
    async with server.borrowed(keys) as link:
        count: int = await link.call("DBSIZE")
    return count


async def scan_keys(server: Server, keys: QueueKeys, base: str) -> AsyncIterator[list[bytes]]:
    """All keys of a queue that begin with `base`, found by SCAN, page by page of all that the server has. A key may
    come twice. Left out are those of queues whose prefix begins in the same way: `bull:q` may be a queue of the prefix
    `bull`, and a prefix itself."""
    pattern, cursor = f"{escape(base)}*", b"0"
    below: dict[bytes, bool] = {}
    while True:
        cursor, found = await server.patiently(partial(_scan, server, keys, cursor, pattern))
        places = {key: places_below(base.encode(), key) for key in found}
        unknown = {place for some in places.values() for place in some}.difference(below)
        if unknown:
            below |= await server.patiently(partial(_are_queues, server, keys, [*unknown]))
        yield [key for key in found if not any(below[place] for place in places[key])]
        below = {place: True for place, is_queue in below.items() if is_queue}
        if cursor == b"0":
            return


async def _are_queues(server: Server, keys: QueueKeys, places: Sequence[bytes]) -> dict[bytes, bool]:
    """Whether there is a queue at each of these places (`<prefix>:<queue>`)."""
    bases = [place + b":" for place in places]
    found: list[int] = await server.run(load("browse/are_queues"), keys, *bases)
    return {place: bool(is_queue) for place, is_queue in zip(places, found, strict=True)}


async def _scan(server: Server, keys: QueueKeys, cursor: bytes, pattern: str) -> tuple[bytes, list[bytes]]:
    async with server.borrowed(keys) as link:
        cursor, found = await link.call("SCAN", cursor, "MATCH", pattern, "COUNT", KEYS_PER_CALL)
    return cursor, found


async def listed_ids(
    server: Server, keys: QueueKeys, name: str, *, count: int = IDS_PER_CALL
) -> AsyncIterator[list[bytes]]:
    """All ids of a list, in pages from its head, while others push and pop. An id that stays in the list is never
    missed: a page begins before the last id of the one before, and when that is gone, reading begins anew.

    Raises:
        ListChangesTooFast: it began anew too often.
    """
    start, last, restarts = 0, b"", 0
    while True:
        first = max(0, start - count // 2)
        words = ("LRANGE", keys.key(name), first, first + count - 1)
        page: list[bytes] = await server.patiently(partial(server.call, *words))
        at = page.index(last) + 1 if last in page else 0
        if last and not at:
            restarts += 1
            if restarts > RESTARTS:
                raise ListChangesTooFast
            start, last = 0, b""
            continue
        yield page[at:]
        if len(page) < count:
            return
        start, last = first + len(page), page[-1]


async def find_orphans(server: Server, keys: QueueKeys, wire_ids: Sequence[str]) -> dict[str, bytes]:
    """Those of some jobs that are in none of the sorted states and not held, each with a mark of its record as it is
    now. Waiting jobs are among them: the lists are not searched."""
    job_ids = [wire_id.encode(errors="surrogateescape") for wire_id in wire_ids]
    marks: list[bytes | None] = await server.run(load("browse/find_orphans"), keys, keys.base, *job_ids)
    return {wire_id: mark for wire_id, mark in zip(wire_ids, marks, strict=True) if mark is not None}
