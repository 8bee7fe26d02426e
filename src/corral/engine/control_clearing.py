"""Control of many jobs at once: draining, cleaning, obliterating. Each function is one bounded step."""

from __future__ import annotations

from typing import Final, NamedTuple

from corral.engine.keys import QueueKeys
from corral.engine.link import Word
from corral.engine.script import load
from corral.engine.server import Server

__all__ = [
    "JOBS_PER_STEP",
    "PLACES",
    "Step",
    "begin_obliterating",
    "clean_finished",
    "clean_listed",
    "clean_unstarted",
    "drain_jobs",
    "erase_leftovers",
    "finish_obliterating",
    "obliterate_jobs",
]

JOBS_PER_STEP: Final = 250
"""A step holds the server for some milliseconds at this size."""

PLACES: Final = (
    "active",
    "delayed",
    "repeat_",
    "completed",
    "wait",
    "paused",
    "prioritized",
    "failed",
    "waiting_children",
)
"""Where jobs are, and schedules, in the order in which a queue is obliterated."""


class Step(NamedTuple):
    """What a step did. `cursor`: where the next one goes on, `"0"` when there is none."""

    cursor: Word
    looked: int
    removed: int

    @property
    def is_last(self) -> bool:
        """Whether there is nothing behind it."""
        return self.cursor in (b"0", "0")


async def drain_jobs(
    server: Server,
    keys: QueueKeys,
    place: str,
    cursor: Word,
    sender: str,
    number: int,
    *,
    clock: Word = "",
    count: int = JOBS_PER_STEP,
) -> Step:
    """Remove at most `count` jobs of `wait`, `paused`, `prioritized` or `delayed`, but no pending iteration."""
    reply = await server.run(
        load("control/drain_jobs"), keys, keys.base, clock, sender, number, place, cursor, count
    )
    return Step(*reply)


async def clean_finished(
    server: Server,
    keys: QueueKeys,
    place: str,
    age_ms: int,
    most: int,
    sender: str,
    number: int,
    *,
    clock: Word = "",
) -> int:
    """Remove at most `most` of the oldest jobs in `completed` or `failed`. Returns how many: fewer at the end."""
    removed: int = await server.run(
        load("control/clean_finished"), keys, keys.base, clock, sender, number, place, age_ms, most
    )
    return removed


async def clean_unstarted(
    server: Server,
    keys: QueueKeys,
    place: str,
    age_ms: int,
    most: int,
    cursor: Word,
    sender: str,
    number: int,
    *,
    clock: Word = "",
    count: int = JOBS_PER_STEP,
) -> Step:
    """Look at `count` jobs of `prioritized` or `delayed` and remove at most `most` that are old enough."""
    reply = await server.run(
        load("control/clean_unstarted"),
        keys,
        keys.base,
        clock,
        sender,
        number,
        place,
        age_ms,
        most,
        cursor,
        count,
    )
    return Step(*reply)


async def clean_listed(
    server: Server,
    keys: QueueKeys,
    place: str,
    age_ms: int,
    most: int,
    skip: int,
    sender: str,
    number: int,
    *,
    clock: Word = "",
    count: int = JOBS_PER_STEP,
) -> Step:
    """Look at `count` ids of `wait`, `paused` or `active` behind the first `skip`; remove at most `most` that are old
    enough. The server walks over what is skipped, some 25 ns an id."""
    looked, removed = await server.run(
        load("control/clean_listed"), keys, keys.base, clock, sender, number, place, age_ms, most, skip, count
    )
    return Step("1" if looked == count else "0", looked, removed)


async def begin_obliterating(server: Server, keys: QueueKeys, *, force: bool) -> int:
    """Pause the queue. Returns 0; without `force` the number of active jobs, if there are any: then nothing changes."""
    force_flag = int(force)
    held: int = await server.run(load("control/begin_obliterating"), keys, force_flag)
    return held


async def obliterate_jobs(
    server: Server, keys: QueueKeys, place: str, *, clock: Word = "", count: int = JOBS_PER_STEP
) -> int:
    """Remove at most `count` jobs (or schedules) of one of `PLACES`. Returns how many: fewer at the end."""
    removed: int = await server.run(load("control/obliterate_jobs"), keys, keys.base, clock, place, count)
    return removed


async def erase_leftovers(server: Server, keys: QueueKeys, leftovers: list[bytes]) -> bool:
    """Delete keys that are left of an empty queue. False when it is not empty: then nothing was deleted."""
    return bool(await server.run(load("control/erase_leftovers"), keys, *leftovers))


async def finish_obliterating(server: Server, keys: QueueKeys) -> bool:
    """Delete the keys of an empty queue itself. False when it is not empty: then nothing was deleted."""
    return bool(await server.run(load("control/finish_obliterating"), keys))
