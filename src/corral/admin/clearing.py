"""Taking jobs out of a queue, many at once: drain, clean, obliterate. All of it in steps of some milliseconds."""

from __future__ import annotations

from functools import partial
from typing import Final

from corral.admin.steps import Progress, Steps
from corral.contracts.arguments import whole
from corral.contracts.duration import Duration, milliseconds
from corral.contracts.states import JobState
from corral.engine.browse_queue import count_place, scan_keys
from corral.engine.control_clearing import (
    JOBS_PER_STEP,
    PLACES,
    begin_obliterating,
    clean_finished,
    clean_listed,
    clean_unstarted,
    drain_jobs,
    erase_leftovers,
    finish_obliterating,
    obliterate_jobs,
)
from corral.engine.keys import SUFFIXES, QueueKeys
from corral.engine.link import Word
from corral.engine.server import Server
from corral.errors import InvalidOption, QueueActive

__all__ = ["clean", "drain", "obliterate"]

REACH: Final = 100_000
"""How many ids of a list may stay before those that are looked at: the server walks over them in every step."""

MOST: Final = 2**53

LISTS: Final = ("wait", "paused", "active")
CLEANED: Final = {
    JobState.COMPLETED: ("completed",),
    JobState.FAILED: ("failed",),
    JobState.DELAYED: ("delayed",),
    JobState.PRIORITIZED: ("prioritized",),
    JobState.WAITING: ("paused", "wait"),
    JobState.ACTIVE: ("active",),
}


async def drain(server: Server, keys: QueueKeys, *, delayed: bool, on_progress: Progress | None) -> int:
    """Remove what has not started. Returns how many jobs that were."""
    # In the direction in which jobs move, so that none passes by.
    places = (*(("delayed",) if delayed else ()), "prioritized", "paused", "wait")
    sizes = {place: await server.patiently(partial(count_place, server, keys, place)) for place in places}
    steps = Steps(server, on_progress, total=sum(sizes.values()))
    removed = 0
    for place, size in sizes.items():
        cursor: Word = "0"
        left = size
        while left > 0:
            step = await steps.take(
                partial(drain_jobs, server, keys, place, cursor, count=min(left, JOBS_PER_STEP))
            )
            removed += step.removed
            steps.advance(step.looked)
            cursor = step.cursor
            if step.is_last:
                break
            if place in LISTS:
                left -= step.looked
    return removed


async def clean(
    server: Server,
    keys: QueueKeys,
    state: JobState | str,
    *,
    older_than: Duration,
    limit: int | None,
    on_progress: Progress | None,
) -> int:
    """Remove jobs of one state that are old enough. Returns how many that were."""
    if not isinstance(state, str) or state not in CLEANED:
        raise InvalidOption("state", state, f"give one of {', '.join(CLEANED)}")
    if limit is not None:
        whole("limit", limit, 1)
    age_ms = milliseconds("older_than", older_than)
    places = CLEANED[JobState(state)]
    sizes = [await server.patiently(partial(count_place, server, keys, place)) for place in places]
    sweep = _Cleaning(server, keys, age_ms, limit, Steps(server, on_progress, total=sum(sizes)))
    for place in places:
        if place in LISTS:
            await sweep.listed(place)
        elif place in ("completed", "failed"):
            await sweep.finished(place)
        else:
            await sweep.unstarted(place)
    return sweep.removed


class _Cleaning:
    """One cleaning of one state, over one place or two."""

    def __init__(self, server: Server, keys: QueueKeys, age_ms: int, limit: int | None, steps: Steps) -> None:
        self._server = server
        self._keys = keys
        self._age_ms = age_ms
        self._limit = limit
        self._steps = steps
        self.removed = 0

    @property
    def _left(self) -> int:
        """How many may still be removed."""
        return MOST if self._limit is None else self._limit - self.removed

    def _count(self, looked: int, removed: int) -> None:
        self.removed += removed
        self._steps.advance(looked)

    async def finished(self, place: str) -> None:
        """The oldest first, as the set is sorted."""
        while (most := min(self._left, JOBS_PER_STEP)) > 0:
            removed = await self._steps.take(
                partial(clean_finished, self._server, self._keys, place, self._age_ms, most)
            )
            self._count(removed, removed)
            if removed < most:
                return

    async def unstarted(self, place: str) -> None:
        """All of the set: age is not what it is sorted by."""
        cursor: Word = "0"
        while (most := self._left) > 0:
            step = await self._steps.take(
                partial(clean_unstarted, self._server, self._keys, place, self._age_ms, most, cursor)
            )
            self._count(step.looked, step.removed)
            cursor = step.cursor
            if step.is_last:
                return

    async def listed(self, place: str) -> None:
        """From the next in line on. Workers that take jobs meanwhile move the others along, so it is gone through again
        until a pass finds nothing more to remove."""
        found = True
        while found:
            found, skip = False, 0
            while skip < REACH and (most := self._left) > 0:
                step = await self._steps.take(
                    partial(clean_listed, self._server, self._keys, place, self._age_ms, most, skip)
                )
                self._count(step.removed, step.removed)
                skip += step.looked - step.removed
                found = found or step.removed > 0
                if step.is_last:
                    break
            else:
                return


async def obliterate(server: Server, keys: QueueKeys, *, force: bool, on_progress: Progress | None) -> None:
    """Remove a queue with all that belongs to it."""
    held = await server.patiently(partial(begin_obliterating, server, keys, force=force))
    if held:
        raise QueueActive(keys.queue, held)
    sizes = [await server.patiently(partial(count_place, server, keys, place)) for place in PLACES]
    steps = Steps(server, on_progress, total=sum(sizes))
    # Whoever adds jobs meanwhile makes another round necessary.
    while True:
        for place in PLACES:
            while removed := await steps.plain(partial(obliterate_jobs, server, keys, place)):
                steps.advance(removed)
        if await _erase_leftovers(server, keys, steps) and await steps.plain(
            partial(finish_obliterating, server, keys)
        ):
            return


async def _erase_leftovers(server: Server, keys: QueueKeys, steps: Steps) -> bool:
    kept = {key.encode() for key in keys.all(tuple(SUFFIXES))}
    for base in (keys.base, keys.own_base):
        async for page in scan_keys(server, keys, base):
            leftovers = [key for key in page if key not in kept]
            if leftovers and not await steps.plain(partial(erase_leftovers, server, keys, leftovers)):
                return False
    return True
