"""Who works on a queue: what Corral's workers say of themselves, and what the connections of all show."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Final, NamedTuple

from corral.admin.connections import Connection, connections_in
from corral.contracts.worker_record import Beat, JobInHand, WorkerRecord, WorkerState
from corral.engine.browse import list_queues
from corral.engine.browse_workers import KeptBeats, list_beats, list_clients
from corral.engine.link import Word
from corral.engine.server import Server
from corral.errors import ServerRefused

__all__ = ["SILENT_AFTER", "find_workers"]

SILENT_AFTER: Final = timedelta(seconds=30)
"""Six beats."""


LATEST_MS: Final = 2**47
"""Some thousand years from now: no time is later."""


class Said(NamedTuple):
    """A beat, with what is known of it beside what it says. Times are the server's."""

    instance: str
    queue: str
    at: datetime
    now: datetime
    beat: Beat


async def find_workers(
    server: Server, queue: str | None, *, known: Sequence[str] | None = None, clock: Word = ""
) -> list[WorkerRecord]:
    """The workers of a queue or of all, by name. Costs CLIENT LIST, and a call for each queue.

    With `known` queues no others are looked for, but for those that connections name: that takes a look at every key.

    Raises:
        ServerRefused: the user may not call CLIENT LIST, and no worker has a record, so that nothing is known.
    """
    refused: ServerRefused | None = None
    seen: list[Connection] = []
    try:
        seen = connections_in(await list_clients(server), server.settings.prefix)
    except ServerRefused as error:
        refused = error
    queues = [queue] if queue is not None else await _all_queues(server, seen, known)
    kept = await asyncio.gather(*(list_beats(server, server.keys(name), clock=clock) for name in queues))
    said = [one for name, beats in zip(queues, kept, strict=True) for one in _said(name, beats)]
    if refused is not None and not said:
        raise refused
    asked_for = (connection for connection in seen if connection.queue in queues)
    return merge(said, asked_for, kept[0].now if kept else 0)


async def _all_queues(server: Server, seen: Iterable[Connection], known: Sequence[str] | None) -> list[str]:
    """Those that have been used, and those that workers wait for."""
    used = {name async for name in list_queues(server)} if known is None else set(known)
    return sorted(used | {connection.queue for connection in seen})


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
