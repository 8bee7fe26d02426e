"""Who works on a queue: what Corral's workers say of themselves, and what the connections of all show."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Final, NamedTuple

from corral.admin.connections import Connection, connections_in
from corral.contracts.worker_record import Beat, JobInHand, WorkerRecord, WorkerState
from corral.engine.browse import is_possible, list_queues
from corral.engine.browse_workers import KeptBeats, list_beats, list_clients
from corral.engine.faults import ResponseError, is_wrong_type
from corral.engine.keys import QueueKeys
from corral.engine.link import Word
from corral.engine.server import Server
from corral.errors import InvalidQueueName, QueueDamaged, ServerRefused
from corral.logs import get_logger

__all__ = ["SILENT_AFTER", "Skipped", "find_named_workers", "find_workers", "note"]

log = get_logger("admin")

SILENT_AFTER: Final = timedelta(seconds=30)
"""Six beats."""


LATEST_MS: Final = 2**47
"""Some thousand years from now: no time is later."""

LOOKING: Final = 10.0
"""Seconds for which queues are looked for among the keys of a server."""

Skipped = Callable[[str, str], None]
"""Told of a queue that was left out, and why."""


def note(queue: str, reason: str) -> None:
    """Write it to the log."""
    log.warning("Workers of a queue are left out", queue=queue, reason=reason)


class Said(NamedTuple):
    """A beat, with what is known of it beside what it says. Times are the server's."""

    instance: str
    queue: str
    at: datetime
    now: datetime
    beat: Beat


class _Seen(NamedTuple):
    """What CLIENT LIST shows; nothing, and why, where the user may not call it."""

    connections: Sequence[Connection]
    refused: ServerRefused | None = None


async def find_workers(
    server: Server,
    queue: str | None,
    *,
    known: Sequence[str] | None = None,
    on_skipped: Skipped = note,
    clock: Word = "",
) -> list[WorkerRecord]:
    """The workers of a queue or of all, by name. Costs CLIENT LIST, and a call for each queue.

    With `known` queues no others are looked at, but for those that connections name; else they are looked for among all
    keys of the server, for some seconds. Of several queues, one that cannot be read is left out: `on_skipped` is told
    which and why.

    Raises:
        ServerRefused: the user may not call CLIENT LIST, and no worker has a record, so that nothing is known.
        QueueDamaged: the queue that was asked for has no records of workers where they ought to be.
    """
    seen = await _see(server)
    if queue is not None:
        kept = {queue: await _beats(server, queue, clock)}
    else:
        used = await _used_queues(server, on_skipped) if known is None else known
        kept = await _all_beats(server, {*used, *(one.queue for one in seen.connections)}, on_skipped, clock)
    return _told(kept, seen)


async def find_named_workers(
    server: Server, name: str, *, known: Sequence[str] | None = None
) -> list[WorkerRecord]:
    """The workers of a name: looked for first in the queues that connections of this name are for, and only where no
    worker of Corral's beats there in all queues, as by `find_workers`."""
    seen = await _see(server)
    queues = {one.queue for one in seen.connections if one.name == name}
    kept = await _all_beats(server, queues, note, "")
    found = _told(kept, seen) if kept else []
    if not any(one.name == name and one.ours and one.state is not WorkerState.SILENT for one in found):
        found = await find_workers(server, None, known=known)
    return [worker for worker in found if worker.name == name]


async def _see(server: Server) -> _Seen:
    try:
        return _Seen(connections_in(await list_clients(server), server.settings.prefix))
    except ServerRefused as error:
        return _Seen((), error)


async def _used_queues(server: Server, on_skipped: Skipped) -> set[str]:
    """Those that have been used, as far as they are found in time."""
    used = set[str]()
    try:
        async with asyncio.timeout(LOOKING):
            async for name in list_queues(server, impossible=True):
                if is_possible(name):
                    used.add(name)
                else:
                    on_skipped(name, "no queue can have this name")
    except TimeoutError:
        on_skipped(
            "", f"the server has too many keys to look for queues for more than {LOOKING:.0f} s: name one"
        )
    return used


async def _all_beats(
    server: Server, queues: Iterable[str], on_skipped: Skipped, clock: Word
) -> dict[str, KeptBeats]:
    possible = dict[str, QueueKeys]()
    for name in sorted(set(queues)):
        try:
            possible[name] = server.keys(name)
        except InvalidQueueName as error:
            on_skipped(name, error.reason)
    kept = dict[str, KeptBeats]()
    for keys, beats in zip(
        possible.values(), await list_beats(server, list(possible.values()), clock=clock), strict=True
    ):
        if isinstance(beats, ResponseError):
            on_skipped(keys.queue, _damage(keys, beats).reason)
        else:
            kept[keys.queue] = beats
    return kept


async def _beats(server: Server, queue: str, clock: Word) -> KeptBeats:
    keys = server.keys(queue)
    (beats,) = await list_beats(server, [keys], clock=clock)
    if isinstance(beats, ResponseError):
        raise _damage(keys, beats) from beats
    return beats


def _damage(keys: QueueKeys, error: ResponseError) -> QueueDamaged:
    """What is wrong with the keys; any other error is raised."""
    if not is_wrong_type(error):
        raise error
    return QueueDamaged(keys.queue, keys.key("worker_beats"), str(error))


def _told(kept: Mapping[str, KeptBeats], seen: _Seen) -> list[WorkerRecord]:
    said = [one for name, beats in kept.items() for one in _said(name, beats)]
    if seen.refused is not None and not said:
        raise seen.refused
    asked_for = (connection for connection in seen.connections if connection.queue in kept)
    return merge(said, asked_for, next(iter(kept.values())).now if kept else 0)


def merge(said: Iterable[Said], seen: Iterable[Connection], now_ms: int) -> list[WorkerRecord]:
    """One record for each worker. A connection with the name of one that has a record is its own; the others are those
    of workers without, told apart by name and address."""
    by_instance: dict[str, list[Said]] = {}
    for one in said:
        by_instance.setdefault(one.instance, []).append(one)
    connected: dict[str, list[Connection]] = {}
    for connection in seen:
        connected.setdefault(connection.name, []).append(connection)
    records = [_ours(parts, connected) for parts in by_instance.values()]
    named = {record.name for record in records}
    others = chain.from_iterable(found for name, found in connected.items() if name not in named)
    records += _theirs(others, _time(now_ms))
    return sorted(records, key=lambda record: (record.name, record.address, record.instance or ""))


def _said(queue: str, kept: KeptBeats) -> list[Said]:
    """What can be read of it: other programs can write there too."""
    read = ((instance, at, Beat.read(text)) for instance, at, text in kept.beats if 0 <= at < LATEST_MS)
    return [
        Said(instance, queue, _time(at), _time(kept.now), beat)
        for instance, at, beat in read
        if beat is not None
    ]


def _ours(parts: Sequence[Said], connected: Mapping[str, Sequence[Connection]]) -> WorkerRecord:
    """What one worker has said, queue by queue, as one record."""
    latest = max(parts, key=lambda part: part.at)
    beat = latest.beat
    fetched = [None if part.beat.fetched is None else _before(part, part.beat.fetched) for part in parts]
    known = [when for when in fetched if when is not None]
    return WorkerRecord(
        name=beat.name,
        state=WorkerState.SILENT if latest.now - latest.at > SILENT_AFTER else beat.state,
        queues=beat.queues,
        address=next((connection.address for connection in connected.get(beat.name, ())), ""),
        started=_before(latest, beat.up),
        last_fetch=min(known) if len(known) == len(parts) else None,
        beat=latest.at,
        instance=latest.instance,
        host=beat.host,
        pid=beat.pid,
        version=beat.version,
        python=beat.python,
        concurrency={part.queue: part.beat.concurrency for part in parts},
        jobs_in_hand=sum(part.beat.running for part in parts),
        jobs=_jobs(parts),
        starved=timedelta(seconds=max(part.beat.starved for part in parts)),
        loop_lag_ms=beat.lag_ms,
        memory=beat.memory,
        troubles=beat.troubles,
    )


def _jobs(parts: Iterable[Said]) -> tuple[JobInHand, ...]:
    jobs = [
        JobInHand(part.queue, job_id, name, _before(part, seconds))
        for part in parts
        for job_id, name, seconds in part.beat.jobs
    ]
    return tuple(sorted(jobs, key=lambda job: job.since))


def _theirs(connections: Iterable[Connection], now: datetime) -> list[WorkerRecord]:
    """Workers without a record. A worker of several queues, as it has a connection for each, is several."""
    return [
        WorkerRecord(
            name=connection.name,
            state=WorkerState.RUNNING,
            queues=(connection.queue,),
            address=connection.address,
            started=now - timedelta(seconds=connection.age),
            last_fetch=now - timedelta(seconds=connection.idle),
        )
        for connection in connections
    ]


def _before(part: Said, seconds: float) -> datetime:
    return part.at - timedelta(seconds=seconds)


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
