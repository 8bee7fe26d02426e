"""Recur: a schedule makes jobs, one iteration after the other.

Exactly one iteration of a schedule is pending at any time. The next one is made in the step in which it starts
(`claim/claim_jobs`, `settle/commit_jobs`). Intervals are computed there; the times of a cron pattern are computed here
beforehand and *prepared*: stored beside the schedule, with the rule that they were computed for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple
from uuid import uuid4

from corral.engine.enqueue import LIBRARY
from corral.engine.keys import QueueKeys
from corral.engine.link import Word
from corral.engine.script import load
from corral.engine.server import Server

__all__ = [
    "NOTHING_PREPARED",
    "Iteration",
    "NewSchedule",
    "Page",
    "Prepared",
    "ScheduleRefusal",
    "StoredSchedule",
    "Upcoming",
    "list_schedules",
    "prepare_schedule",
    "read_schedule",
    "remove_schedule",
    "sweep_schedules",
    "upsert_schedule",
]

MAX_PAGE: Final = 100
TIMES_STALE: Final = -13
UPSERT_TRIES: Final = 5


class ScheduleRefusal(Exception):
    """A schedule that cannot be stored. `code`: -10 its next time is taken by another job, -11 so are 32 times after
    it, -12 it would never run, -13 the times that were computed do not fit the server's clock."""

    def __init__(self, schedule_id: str, code: int) -> None:
        self.schedule_id = schedule_id
        self.code = code
        super().__init__(f"schedule {schedule_id!r} was refused ({code})")


class Prepared(NamedTuple):
    """The next times of a cron pattern in ms: all there are after `since`, up to the last of them. `complete`: and
    none come after that."""

    since: int
    times: tuple[int, ...]
    complete: bool = False


NOTHING_PREPARED: Final = Prepared(0, ())

Upcoming = Callable[[int], Prepared]
"""Computes the next times after an instant (ms)."""


class NewSchedule(NamedTuple):
    """A schedule to store: a cron `pattern` (with `tz`), or `every_ms`. Empty text or None where it says nothing.

    `data` and `opts` are the JSON of its jobs, `opts` with BullMQ's short names and without what an iteration adds.
    `missed`: run_once, skip, or run_all with `missed_limit`; `overlap`: allow, skip, cancel_running.
    """

    schedule_id: str
    name: str
    data: Word = "{}"
    opts: str = "{}"
    pattern: str = ""
    tz: str = ""
    every_ms: int | None = None
    offset_ms: int | None = None
    limit: int | None = None
    start_ms: int | None = None
    end_ms: int | None = None
    immediately: bool = False
    missed: str = "run_once"
    missed_limit: int = 1
    overlap: str = "allow"


class Iteration(NamedTuple):
    """The pending iteration of a schedule: the id of its job, and when it is due (ms)."""

    wire_id: bytes
    due: int


class StoredSchedule(NamedTuple):
    """A schedule as it is stored, whoever stored it; None also where something cannot be read.

    `next_run`: when its pending iteration is due, or its last one was (`ended`). `made`: how many iterations there have
    been; `number`: that of the last one, which `limit` is for (it begins anew when the schedule is changed).
    """

    schedule_id: bytes
    next_run: int | None
    name: bytes
    data: bytes
    opts: bytes
    pattern: bytes | None
    tz: bytes | None
    every_ms: int | None
    offset_ms: int
    limit: int | None
    start_ms: int | None
    end_ms: int | None
    made: int
    missed: bytes
    missed_limit: int
    overlap: bytes
    rule: bytes
    number: int
    ended: int


class Page(NamedTuple):
    """Schedules, with the server's time (ms) and how many there are in all."""

    now: int
    total: int
    schedules: list[StoredSchedule]


async def upsert_schedule(
    server: Server,
    keys: QueueKeys,
    schedule: NewSchedule,
    *,
    upcoming: Upcoming | None = None,
    clock: Word = "",
) -> Iteration:
    """Make a schedule or change it. A schedule that is stored unchanged keeps the time of its pending iteration.

    Args:
        upcoming: computes the times of a cron pattern; needed for one.
        clock: milliseconds since the epoch for tests; empty for the server's time.

    Raises:
        ScheduleRefusal: it would never run, or its times are taken.
        QueueFull: the server has reached maxmemory; nothing was changed.
        ServerUnavailable: no answer in time. The call may be made again.
    """
    reply: int | list[Any] = TIMES_STALE
    for _ in range(UPSERT_TRIES):
        prepared = NOTHING_PREPARED
        if upcoming is not None:
            now = (await list_schedules(server, keys, limit=0, clock=clock)).now
            prepared = upcoming(max(now, schedule.start_ms or 0))
        reply = await _upsert(server, keys, schedule, prepared, clock)
        if reply != TIMES_STALE:
            break
    if isinstance(reply, int):
        raise ScheduleRefusal(schedule.schedule_id, reply)
    return Iteration._make(reply)


async def _upsert(
    server: Server, keys: QueueKeys, schedule: NewSchedule, prepared: Prepared, clock: Word
) -> int | list[Any]:
    sender, number = uuid4().hex, 1
    times = prepared.times
    every_ms, offset_ms, limit = _word(schedule.every_ms), _word(schedule.offset_ms), _word(schedule.limit)
    start_ms, end_ms = _word(schedule.start_ms), _word(schedule.end_ms)
    immediately, complete = int(schedule.immediately), int(prepared.complete)

    search = 0

    async def call() -> int | list[Any]:
        reply: int | list[Any] = await server.run(
            load("recur/upsert_schedule"), keys, keys.base, clock, sender, number, LIBRARY, schedule.schedule_id,
            schedule.name, schedule.data, schedule.opts, schedule.pattern, schedule.tz, every_ms, offset_ms, limit,
            start_ms, end_ms, immediately, schedule.missed, schedule.missed_limit, schedule.overlap, prepared.since,
            complete, search, *times,
        )  # fmt: skip
        return reply

    while isinstance(reply := await server.patiently(call), int) and reply > 0:
        search = reply  # the pending iteration is deep in a long line
    return reply


def _word(value: int | None) -> Word:
    return "" if value is None else value


async def read_schedule(
    server: Server, keys: QueueKeys, schedule_id: Word, *, clock: Word = ""
) -> tuple[int, StoredSchedule | None]:
    """The server's time (ms), and one schedule or None."""
    page = await _read(server, keys, 0, -1, [schedule_id], clock)
    return page.now, page.schedules[0] if page.schedules else None


async def list_schedules(
    server: Server, keys: QueueKeys, *, start: int = 0, limit: int = 20, clock: Word = ""
) -> Page:
    """A page of the schedules, the next to run first. The repeatable jobs of old BullMQ versions are left out."""
    first = max(0, start)
    return await _read(server, keys, first, first + min(limit, MAX_PAGE) - 1, [], clock)


async def _read(
    server: Server, keys: QueueKeys, first: int, last: int, ids: Sequence[Word], clock: Word
) -> Page:
    async def call() -> Page:
        now, total, rows = await server.run(
            load("recur/read_schedules"), keys, keys.base, clock, first, last, *ids
        )
        return Page(now, total, list(map(StoredSchedule._make, rows)))

    return await server.patiently(call)


async def remove_schedule(server: Server, keys: QueueKeys, schedule_id: Word) -> bool:
    """Remove a schedule and its pending iteration; False when there is none. A run of it goes on."""
    sender, number, search = uuid4().hex, 1, 0

    async def call() -> list[int]:
        reply: list[int] = await server.run(
            load("recur/remove_schedule"), keys, keys.base, sender, number, schedule_id, search
        )
        return reply

    while True:
        removed, search = await server.patiently(call)
        if not search:
            return removed == 1


async def prepare_schedule(
    server: Server, keys: QueueKeys, schedule_id: Word, rule: Word, prepared: Prepared, *, clock: Word = ""
) -> bool:
    """Store the next times of a cron schedule, and make the iteration that waited for them. False when the schedule
    is gone or has another rule now: then read it anew."""
    since, complete, times = prepared.since, int(prepared.complete), prepared.times
    stored: int = await server.run(
        load("recur/prepare_schedule"), keys, keys.base, clock, schedule_id, rule, since, complete, *times
    )
    return stored == 1


async def sweep_schedules(
    server: Server, keys: QueueKeys, cursor: Word, *, interval_ms: int, clock: Word = ""
) -> tuple[bytes, list[bytes]]:
    """Look at a page of the schedules and give those their pending iteration that have lost it.

    The cursor of the next page, `b"0"` after the last one, and the ids of schedules that want their times prepared or
    cannot go on. The first page (an empty cursor) is refused, as if there were none, when another worker has swept
    within `interval_ms`.
    """
    following, wanting = await server.run(
        load("recur/sweep_schedules"), keys, keys.base, clock, interval_ms, cursor
    )
    return following, wanting
