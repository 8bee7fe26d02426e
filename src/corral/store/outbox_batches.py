"""The database's side of a relay: which rows are sent next, and that they are gone afterwards."""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from corral.engine.enqueue import MAX_JOBS_PER_CALL
from corral.store.database import Database
from corral.store.tables import OutboxBatchRow, OutboxRelayRow, OutboxRow

__all__ = ["Batch", "OutboxBatches", "Turn"]

MOST_CHARACTERS: Final = 2_000_000
"""Of payloads in one call. One that alone has more goes alone."""


class Batch(NamedTuple):
    """Jobs of one queue that go in one call: always these under this number, however often it is made."""

    outbox: str
    number: int
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

    async def advance(self, done: Batch | None, *, leaving_out: Collection[str] = ()) -> Turn:
        """Forget a batch that has arrived, and take the next one, of none of the queues that are left out: one
        transaction."""
        async with self._database.writing() as session:
            relay = await self._relay(session)
            if done is not None:
                await _remove(session, done)
            if not self._take_turn(relay):
                return Turn(ours=False, batch=None)
            return Turn(ours=True, batch=await _next(session, relay, leaving_out))

    async def renumber(self, stale: Batch) -> None:
        """Give a batch that is still to be sent another number: the server has carried out a later one than this. So
        it is when the database is a backup, made before that one; jobs that it holds are added rather than lost."""
        async with self._database.writing() as session:
            relay = await self._relay(session)
            batch = await session.get(OutboxBatchRow, stale.queue)
            if batch is not None and batch.number == stale.number and relay.holder == self._me:
                batch.number = _new_number(relay)

    async def leave(self, done: Batch | None) -> None:
        """Forget a batch that has arrived, and let another relay have its turn at once."""
        async with self._database.writing() as session:
            relay = await self._relay(session)
            if done is not None:
                await _remove(session, done)
            if relay.holder == self._me:
                relay.holder = relay.held_until = None

    async def anything(self) -> bool:
        """Whether a row waits."""
        async with self._database.reading() as session:
            return await session.scalar(select(OutboxRow.id).limit(1)) is not None

    async def _relay(self, session: AsyncSession) -> OutboxRelayRow:
        """The row that relays lock, so that one at a time decides."""
        return (await session.scalars(select(OutboxRelayRow).with_for_update())).one()

    def _take_turn(self, relay: OutboxRelayRow) -> bool:
        now = datetime.now(UTC)
        free = relay.holder is None or relay.held_until is None or relay.held_until <= now
        if not free and relay.holder != self._me:
            return False
        relay.holder, relay.held_until = self._me, now + self._lease
        return True


async def _remove(session: AsyncSession, batch: Batch) -> None:
    """Remove a batch, unless another relay has done so and gone on."""
    mine = (OutboxBatchRow.queue == batch.queue) & (OutboxBatchRow.number == batch.number)
    if await session.scalar(select(OutboxBatchRow.queue).where(mine)) is None:
        return
    await session.execute(delete(OutboxRow).where(OutboxRow.id.in_([row.id for row in batch.rows])))
    await session.execute(delete(OutboxBatchRow).where(mine))


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
        oldest = (
            select(OutboxRow.queue).where(OutboxRow.queue.not_in(leaving_out)).order_by(OutboxRow.id).limit(1)
        )
        queue = await session.scalar(oldest)
        if queue is None:
            return None
        row = OutboxBatchRow(queue=queue, number=_new_number(relay), row_ids=await _first(session, queue))
        session.add(row)
    found = await session.scalars(
        select(OutboxRow).where(OutboxRow.id.in_(row.row_ids)).order_by(OutboxRow.id)
    )
    return Batch(relay.name, row.number, row.queue, found.all())


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
