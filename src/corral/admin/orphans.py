"""Jobs that are in no state: what crashes of other clients, failovers and old defects have left behind."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from functools import partial
from typing import Final, TypeVar

from corral.admin.steps import Progress, Steps
from corral.engine.browse_queue import ListChangesTooFast, count_keys, find_orphans, listed_ids, scan_keys
from corral.engine.control_orphans import remove_orphans
from corral.engine.key_owner import owner_of
from corral.engine.keys import QueueKeys
from corral.engine.server import Server

__all__ = ["find", "remove"]

T = TypeVar("T")

JOBS_PER_CALL: Final = 200
REMOVED_PER_CALL: Final = 100
SUSPECTS: Final = 100_000
"""How many jobs are held against the lists in one reading of them: some 20 MB here."""


async def find(server: Server, keys: QueueKeys, *, limit: int, on_progress: Progress | None) -> list[str]:
    """The ids of jobs that are in no state, at most `limit`."""
    found: list[str] = []
    steps = Steps(server, on_progress, total=await server.patiently(partial(count_keys, server, keys)))
    async for orphans in _orphans(server, keys, steps):
        found += [wire_id for wire_id, _ in orphans]
        if len(found) >= limit:
            break
    return found[:limit]


async def remove(server: Server, keys: QueueKeys, *, on_progress: Progress | None) -> int:
    """Remove them with all their keys. Returns how many there were."""
    removed = 0
    steps = Steps(server, on_progress, total=await server.patiently(partial(count_keys, server, keys)))
    async for orphans in _orphans(server, keys, steps):
        for some in _batches(orphans, REMOVED_PER_CALL):
            removed += await server.patiently(partial(remove_orphans, server, keys, some))
    return removed


async def _orphans(server: Server, keys: QueueKeys, steps: Steps) -> AsyncIterator[list[tuple[str, bytes]]]:
    """Orphans, a round at a time: suspects are jobs that are in no sorted state; who then stands in a list is none.

    A suspect's mark changes when it is moved, and the lists are read after the mark was made. So whoever is not found
    and has the same mark afterwards was in no list all the time.
    """
    suspects: dict[str, bytes] = {}
    base = len(keys.base.encode())
    async for page in scan_keys(server, keys, keys.base):
        owners = {owner_of(key[base:].decode(errors="surrogateescape")) for key in page}
        for some in _batches([owner for owner in owners if owner is not None], JOBS_PER_CALL):
            suspects.update(await server.patiently(partial(find_orphans, server, keys, some)))
        steps.advance(len(page))
        if len(suspects) >= SUSPECTS:
            yield await _not_listed(server, keys, suspects)
            suspects = {}
    if suspects:
        yield await _not_listed(server, keys, suspects)


async def _not_listed(server: Server, keys: QueueKeys, suspects: dict[str, bytes]) -> list[tuple[str, bytes]]:
    """The suspects that stand in no list. None, when a list changes too fast to be read."""
    try:
        # `paused` on both sides of `wait`: a pause or a resume may move the whole line.
        for name in ("active", "paused", "wait", "paused", "active"):
            async for page in listed_ids(server, keys, name):
                for wire_id in page:
                    suspects.pop(wire_id.decode(errors="surrogateescape"), None)
    except ListChangesTooFast:
        return []
    remaining: list[tuple[str, bytes]] = []
    for some in _batches(list(suspects), JOBS_PER_CALL):
        marks = await server.patiently(partial(find_orphans, server, keys, some))
        remaining += [(wire_id, mark) for wire_id, mark in marks.items() if suspects[wire_id] == mark]
    return remaining


def _batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[at : at + size] for at in range(0, len(items), size))
