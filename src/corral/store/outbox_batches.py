"""The database's side of a relay: which rows are sent next, and that they are gone afterwards."""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from corral.engine.enqueue import MAX_JOBS_PER_CALL
from corral.store.database import Database
from corral.store.tables import OutboxBatchRow, OutboxRelayRow, OutboxRow

__all__ = ["Batch", "OutboxBatches", "Turn"]

MOST_CHARACTERS: Final = 2_000_000
"""Of payloads in one call. One that alone has more goes alone."""

LOST_AFTER: Final = "10s"
"""When PostgreSQL ends a transaction of a relay whose machine is gone: others wait for the row that it has locked."""


class Batch(NamedTuple):
    """Jobs of one queue that go in one call: always these under this number, however often it is made."""

    outbox: str
    number: int
    mark: str
    queue: str
    rows: Sequence[OutboxRow]


class Turn(NamedTuple):
    """What a relay is to do."""

    ours: bool
    """False: another relay moves the rows."""
    batch: Batch | None


class OutboxBatches:
    """Hands out the rows, in their order, queue by queue.

    What goes in a batch is stored before it is sent, and its rows are removed only when the server has answered. A
    relay that dies in between leaves a batch that the next one sends again, under the same number, which the server
    recognises. Numbers grow, and are no lower than the time in milliseconds, so that a database that is restored from
    a backup does not use one again.

    One relay has the turn, for `lease` seconds from its last call; the others look on. That is for economy only: were
    there two, the server would still carry out each batch once.

    Every verb raises `DatabaseUnavailable` or `DatabaseOutdated`.
    """

    def __init__(self, database: Database, *, lease: float) -> None:
        self._database = database
        self._lease = timedelta(seconds=lease)
        self._me = str(uuid.uuid4())

    async def advance(self, arrived: Collection[Batch] = (), *, leaving_out: Collection[str] = ()) -> Turn:
        """Forget batches that have arrived, and take the next one, of none of the queues that are left out: one
        transaction."""
        async with self._database.writing() as session:
            relay = await _locked(session)
            await _remove(session, arrived)
            if not self._take_turn(relay):
                return Turn(ours=False, batch=None)
            return Turn(ours=True, batch=await _next(session, relay, leaving_out))

    async def renumber(self, stale: Batch, *, beyond: int) -> None:
        """Give a batch that is still to be sent a number beyond that of a later one, which the server has carried out.
        So it is when the database is a backup, made before that one; jobs that it holds are added rather than lost."""
        async with self._database.writing() as session:
            relay = await _locked(session)
            relay.number = max(relay.number, beyond)
            batch = await session.get(OutboxBatchRow, stale.queue)
            if batch is not None and (batch.number, batch.mark) == (stale.number, stale.mark):
                batch.number = _new_number(relay)

    async def leave(self, arrived: Collection[Batch] = ()) -> None:
        """Forget batches that have arrived, and let another relay have its turn at once."""
        async with self._database.writing() as session:
            relay = await _locked(session)
            await _remove(session, arrived)
            if relay.holder == self._me:
                relay.holder = relay.held_until = None

    async def is_empty(self, *, leaving_out: Collection[str] = ()) -> bool:
        """Whether no row waits, but for those of the queues that are left out."""
        async with self._database.reading() as session:
            return await session.scalar(_queue_of_the_oldest(leaving_out)) is None

    def _take_turn(self, relay: OutboxRelayRow) -> bool:
        now = datetime.now(UTC)
        until = relay.held_until or now
        # A time that is further away than any lease is that of a clock which went wrong.
        if relay.holder not in (None, self._me) and now < until <= now + self._lease:
            return False
        relay.holder, relay.held_until = self._me, now + self._lease
        return True


async def _locked(session: AsyncSession) -> OutboxRelayRow:
    """The row that relays lock, so that one at a time decides; made anew where somebody has emptied the tables."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = '{LOST_AFTER}'"))
    relay = (await session.scalars(select(OutboxRelayRow).with_for_update())).first()
    if relay is None:
        relay = OutboxRelayRow(name=str(uuid.uuid4()), number=0)
        session.add(relay)
    return relay


async def _remove(session: AsyncSession, batches: Collection[Batch]) -> None:
    """Remove batches, but those that another relay has removed, and gone on."""
    for batch in batches:
        found = await session.get(OutboxBatchRow, batch.queue)
        if found is not None and (found.number, found.mark) == (batch.number, batch.mark):
            await session.execute(delete(OutboxRow).where(OutboxRow.id.in_(found.row_ids)))
            await session.delete(found)
            await session.flush()


async def _next(session: AsyncSession, relay: OutboxRelayRow, leaving_out: Collection[str]) -> Batch | None:
    """The batch that is still to be sent, or else a new one, of the queue of the oldest row."""
    begun = (
        select(OutboxBatchRow)
        .where(OutboxBatchRow.queue.not_in(leaving_out))
        .order_by(OutboxBatchRow.number)
        .limit(1)
    )
    row = await session.scalar(begun)
    if row is None:
        queue = await session.scalar(_queue_of_the_oldest(leaving_out))
        if queue is None:
            return None
        row = OutboxBatchRow(
            queue=queue, number=_new_number(relay), mark=_mark(), row_ids=await _first(session, queue)
        )
        session.add(row)
    found = await session.scalars(
        select(OutboxRow).where(OutboxRow.id.in_(row.row_ids)).order_by(OutboxRow.id)
    )
    return Batch(relay.name, row.number, row.mark, row.queue, found.all())


def _queue_of_the_oldest(leaving_out: Collection[str]) -> Select[Any]:
    """The queue of the oldest row that is in none of these. It steps from queue to queue, not from row to row: a queue
    that is left out may have a long line."""
    queues = select(func.min(OutboxRow.queue).label("queue")).cte("queues", recursive=True)
    following = select(func.min(OutboxRow.queue)).where(OutboxRow.queue > queues.c.queue).scalar_subquery()
    queues = queues.union_all(select(following).where(queues.c.queue.is_not(None)))
    oldest = select(func.min(OutboxRow.id)).where(OutboxRow.queue == queues.c.queue).scalar_subquery()
    wanted = queues.c.queue.is_not(None) & queues.c.queue.not_in(leaving_out)
    return select(queues.c.queue).where(wanted).order_by(oldest).limit(1)


async def _first(session: AsyncSession, queue: str) -> list[int]:
    """As many rows as go in one call."""
    sizes = await session.execute(
        select(OutboxRow.id, func.length(OutboxRow.data))
        .where(OutboxRow.queue == queue)
        .order_by(OutboxRow.id)
        .limit(MAX_JOBS_PER_CALL)
    )
    taken, total = list[int](), 0
    for row_id, size in sizes:
        total += size
        if taken and total > MOST_CHARACTERS:
            break
        taken.append(row_id)
    return taken


def _new_number(relay: OutboxRelayRow) -> int:
    relay.number = max(relay.number + 1, time.time_ns() // 1_000_000)
    return relay.number


def _mark() -> str:
    return f"{secrets.randbelow(10**9):09}"
