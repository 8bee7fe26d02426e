"""Browse: reading jobs and counts, in pages. Nothing here writes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Final, NamedTuple

from corral.contracts.arguments import whole
from corral.contracts.job import Job
from corral.contracts.names import check_queue_name
from corral.contracts.states import JobState
from corral.engine.faults import ResponseError, is_wrong_type
from corral.engine.keys import QueueKeys
from corral.engine.link import Link, Word
from corral.engine.script import load
from corral.engine.server import Server
from corral.errors import InvalidQueueName, QueueDamaged

__all__ = [
    "Between",
    "Ending",
    "Metrics",
    "count_between",
    "count_jobs",
    "escape",
    "is_paused",
    "is_possible",
    "job_state",
    "list_jobs",
    "list_queues",
    "page_of",
    "queue_exists",
    "read_ending",
    "read_job",
    "read_jobs",
    "read_logs",
    "read_metrics",
]

MAX_PAGE: Final = 1000
_COUNTED: Final = (
    JobState.WAITING,
    JobState.ACTIVE,
    JobState.COMPLETED,
    JobState.FAILED,
    JobState.DELAYED,
    JobState.PRIORITIZED,
    JobState.WAITING_CHILDREN,
)


class Ending(NamedTuple):
    """How a job ended: `state` is None while it has not (`exists` tells whether there is such a job)."""

    exists: bool
    state: JobState | None
    returnvalue: bytes | None
    failed_reason: str
    attempts_made: int
    kind: str | None = None
    """The kind of its last failure, where one is stored."""


class Between(NamedTuple):
    """What is between two scores: the server's time (ms), how many members, and the highest score among them."""

    now: int
    members: int
    highest: bytes


class Metrics(NamedTuple):
    """Finished jobs counted by Corral workers, and by Node workers that have metrics switched on.

    `minutes`: what each past minute brought, the newest first; the minute that runs is not in it.
    """

    total: int
    minutes: list[int]


def page_of(start: int, limit: int, most: int = MAX_PAGE) -> tuple[int, int]:
    """The first and the last place of a page of at most `most`. Raises `InvalidOption`."""
    first, length = whole("start", start), min(whole("limit", limit), most)
    # From 0 to -1 would be everything.
    return (first, first + length - 1) if length else (1, 0)


async def count_jobs(server: Server, keys: QueueKeys) -> dict[JobState, int]:
    """How many jobs are in each state. Ids that BullMQ 5 parks in `paused` count as waiting."""
    counts: list[int] = await server.run(load("browse/count_jobs"), keys)
    return dict(zip(_COUNTED, counts, strict=True))


async def is_paused(server: Server, keys: QueueKeys) -> bool:
    """Whether the queue hands out no jobs until it is resumed."""
    return bool(await server.call("HEXISTS", keys.key("meta"), "paused"))


async def job_state(server: Server, keys: QueueKeys, wire_id: str) -> JobState:
    """The state of one job, `UNKNOWN` when there is none. Does not search the waiting list: a job that exists and
    is in no other state is waiting."""
    found: bytes = await server.run(load("browse/find_state"), keys, keys.base, wire_id)
    return JobState(found.decode())


async def read_job(server: Server, keys: QueueKeys, wire_id: str) -> Job | None:
    """A snapshot of one job with its state, or None."""
    async with server.borrowed(keys) as link:
        flat = await _read_hash(link, keys.job(wire_id))
    if flat is None:
        return None
    return _snapshot(keys, wire_id, flat, await job_state(server, keys, wire_id))


async def list_jobs(
    server: Server, keys: QueueKeys, state: JobState, *, start: int = 0, limit: int = 20
) -> list[Job]:
    """A page of the jobs of one state: finished ones newest first, the others in the order in which they run.

    One call, and another for each further 250 jobs or mebibyte. Ids that BullMQ 5 parks in `paused` are waiting.
    """
    first, last = page_of(start, limit)
    ids, hashes = await server.run(load("browse/list_jobs"), keys, keys.base, state, first, last)
    return await _read_rest(server, keys, ids, hashes, state)


async def read_jobs(server: Server, keys: QueueKeys, ids: Sequence[bytes], state: JobState) -> list[Job]:
    """Jobs by their ids, of which it is known that they are in this state; without those that are gone."""
    return await _read_rest(server, keys, ids, [], state)


async def _read_rest(
    server: Server, keys: QueueKeys, ids: Sequence[bytes], hashes: list[list[bytes] | None], state: JobState
) -> list[Job]:
    while len(hashes) < len(ids):
        hashes += await server.run(load("browse/read_jobs"), keys, keys.base, *ids[len(hashes) :])
    return [
        _snapshot(keys, wire_id.decode(errors="replace"), flat, state)
        for wire_id, flat in zip(ids, hashes, strict=True)
        if flat is not None
    ]


async def count_between(
    server: Server, keys: QueueKeys, state: JobState, lowest: Word, highest: Word = "", *, clock: Word = ""
) -> Between:
    """How many completed, failed or delayed jobs have scores from `lowest` to `highest`, or until now."""
    now, count, last = await server.run(load("browse/count_between"), keys, clock, state, lowest, highest)
    return Between(now, count, last)


async def _read_hash(link: Link, key: Word) -> list[bytes] | None:
    """Fields and values of a job. None where there is none, empty where the key holds something else."""
    try:
        flat: list[bytes] = await link.call("HGETALL", key)
    except ResponseError as error:
        if is_wrong_type(error):
            return []
        raise
    return flat or None


async def read_ending(server: Server, keys: QueueKeys, wire_id: str) -> Ending:
    """Whether and how a job ended."""
    value, reason, finished, made, kind = await server.call(
        "HMGET", keys.job(wire_id), "returnvalue", "failedReason", "finishedOn", "atm", "corral.failure"
    )
    if finished is None:
        exists = bool(await server.call("EXISTS", keys.job(wire_id)))
        return Ending(exists, None, None, "", 0)
    # What has a result has completed. A second look, in `failed`, could come after the job has left it.
    state = JobState.FAILED if value is None else JobState.COMPLETED
    return Ending(True, state, value, _text(reason), _count(made), _text(kind))


def _text(stored: bytes | None) -> str:
    return (stored or b"").decode("utf-8", "replace")


def _count(text: bytes | None) -> int:
    """A counter of a hash; 0 where another client has written something else."""
    try:
        return int(text or 0)
    except ValueError:
        return 0


async def read_logs(
    server: Server, keys: QueueKeys, wire_id: str, *, start: int = 0, limit: int = 100
) -> list[str]:
    """A page of a job's log lines, the oldest first."""
    rows = await server.call("LRANGE", keys.job(wire_id) + ":logs", *page_of(start, limit))
    return [row.decode("utf-8", "replace") for row in rows]


async def read_metrics(
    server: Server, keys: QueueKeys, state: JobState, *, start: int = 0, limit: int = 60
) -> Metrics:
    """How many jobs completed or failed, in all and by the minute. Raises `QueueDamaged`."""
    name = f"metrics_{state}"
    page = page_of(start, limit)
    try:
        total, minutes = await server.calls(
            [("HGET", keys.key(name), "count"), ("LRANGE", keys.key(f"{name}_data"), *page)]
        )
        return Metrics(int(total or 0), [int(minute) for minute in minutes])
    except (ValueError, ResponseError) as error:
        if isinstance(error, ResponseError) and not is_wrong_type(error):
            raise
        raise QueueDamaged(keys.queue, keys.key(name), str(error)) from error


async def list_queues(server: Server, *, impossible: bool = False) -> AsyncIterator[str]:
    """The names of all queues under the prefix, found by SCAN (never KEYS) on each node, in no order.

    Other programs may have made keys of any name. One that no queue can have is left out, unless `impossible` ones are
    asked for too, so that it spoils nothing for the others; so is always what is no text.
    """
    seen = set[str]()
    async for link in server.each_node():
        async for name in _queues_on(link, server.settings.prefix):
            if name not in seen and (impossible or is_possible(name)):
                seen.add(name)
                yield name


def is_possible(queue: str) -> bool:
    """Whether a queue can have this name."""
    try:
        check_queue_name(queue)
    except InvalidQueueName:
        return False
    return True


async def queue_exists(server: Server, keys: QueueKeys) -> bool:
    """Whether there is such a queue: for BullMQ, one that has its `meta`."""
    return bool(await server.call("EXISTS", keys.key("meta")))


async def _queues_on(link: Link, prefix: str) -> AsyncIterator[str]:
    cursor = b"0"
    while True:
        cursor, found = await link.call("SCAN", cursor, "MATCH", f"{escape(prefix)}:*:meta", "COUNT", 1000)
        for key in found:
            name = key.decode(errors="ignore")[len(prefix) + 1 : -len(":meta")]
            if name and ":" not in name and f"{prefix}:{name}:meta".encode() == key:
                yield name
        if cursor == b"0":
            return


def escape(text: str) -> str:
    """Text for a MATCH pattern that stands for itself."""
    return "".join(f"\\{letter}" if letter in "*?[]\\^-" else letter for letter in text)


def _snapshot(keys: QueueKeys, wire_id: str, flat: Sequence[bytes], state: JobState) -> Job:
    fields = {name.decode(errors="replace"): value for name, value in zip(flat[::2], flat[1::2], strict=True)}
    return Job.from_fields(keys.queue, wire_id, fields, state=state)
