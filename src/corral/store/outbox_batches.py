"""The database's side of a relay: which rows are sent next, and that they are gone afterwards."""

from __future__ import annotations

import re
import secrets
import time
import uuid
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, delete, func, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from corral.engine.enqueue import MAX_JOBS_PER_CALL
from corral.store.database import Database
from corral.store.tables import THE_RELAY, OutboxBatchRow, OutboxRelayRow, OutboxRow

__all__ = ["Batch", "OutboxBatches", "Turn"]

MOST_CHARACTERS: Final = 2_000_000
"""Of payloads in one call. One that alone has more goes alone."""

HEAD: Final = 1000
"""Rows among which the oldest is looked for, before it is looked for among the queues."""

LOST_AFTER: Final = "10s"
"""When PostgreSQL ends a transaction of a relay whose machine is gone: others wait for the row that it has locked."""


class Batch(NamedTuple):
    """Jobs of one queue that go in one call: always these under this number, however often it is made."""

    outbox: str
    number: int
    mark: str
    queue: str
    rows: Sequence[OutboxRow]
    damage: str = ""
    """Why it cannot be sent: what was written down of it cannot be read."""


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
            relay.number = max(_last_number(relay), beyond)
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
            return await session.scalar(_queues(leaving_out).limit(1)) is None

    def _take_turn(self, relay: OutboxRelayRow) -> bool:
        now = datetime.now(UTC)
        until = relay.held_until or now
        # A time that is further away than any lease is that of a clock which went wrong.
        if relay.holder not in (None, self._me) and now < until <= now + self._lease:
            return False
        relay.holder, relay.held_until = self._me, now + self._lease
        return True


async def _locked(session: AsyncSession) -> OutboxRelayRow:
    """The row that relays lock, so that one at a time decides; made anew where somebody has emptied the tables, by one
    of them."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = '{LOST_AFTER}'"))
    if (found := await session.get(OutboxRelayRow, THE_RELAY, with_for_update=True)) is not None:
        return found
    insert: Any = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[session.get_bind().dialect.name]
    made = insert(OutboxRelayRow).values(id=THE_RELAY, name=str(uuid.uuid4()), number=0)
    await session.execute(made.on_conflict_do_nothing())
    return await session.get_one(OutboxRelayRow, THE_RELAY, with_for_update=True)


async def _remove(session: AsyncSession, batches: Collection[Batch]) -> None:
    """Remove batches, but those that another relay has removed, and gone on."""
    for batch in batches:
        found = await session.get(OutboxBatchRow, batch.queue)
        if found is not None and (found.number, found.mark) == (batch.number, batch.mark):
            sent = OutboxRow.id.in_([row.id for row in batch.rows])
            await session.execute(delete(OutboxRow).where(sent))
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
        queue = await _queue_of_the_oldest(session, leaving_out)
        if queue is None:
            return None
        number, mark, row_ids = _new_number(relay), _new_mark(), await _first(session, queue)
        row = OutboxBatchRow(queue=queue, outbox=relay.name, number=number, mark=mark, row_ids=row_ids)
        session.add(row)
    if damage := _damage_of(row):
        return Batch(row.outbox, row.number, row.mark, row.queue, (), damage)
    listed = (OutboxRow.queue == row.queue) & OutboxRow.id.in_(row.row_ids)
    rows = await session.scalars(select(OutboxRow).where(listed).order_by(OutboxRow.id))
    return Batch(row.outbox, row.number, row.mark, row.queue, rows.all())


def _damage_of(row: OutboxBatchRow) -> str:
    """What was changed by hand, so that nobody can say which call this was."""
    if not _is_whole(row.number):
        return "its number is no whole number"
    if not re.fullmatch(r"[0-9]{1,12}", str(row.mark)):
        return "its mark is not made of digits"
    ids: object = row.row_ids
    if not isinstance(ids, list) or len(ids) > MAX_JOBS_PER_CALL or not all(map(_is_whole, ids)):
        return "its row_ids are no list of ids"
    return ""


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


def _queues(leaving_out: Collection[str]) -> Select[Any]:
    """The queues that have rows, but for these. It steps from queue to queue, not from row to row: one that is left out
    may have a long line."""
    queues = select(func.min(OutboxRow.queue).label("queue")).cte("queues", recursive=True)
    following = select(func.min(OutboxRow.queue)).where(OutboxRow.queue > queues.c.queue).scalar_subquery()
    queues = queues.union_all(select(following).where(queues.c.queue.is_not(None)))
    return select(queues.c.queue).where(queues.c.queue.is_not(None), queues.c.queue.not_in(leaving_out))


async def _queue_of_the_oldest(session: AsyncSession, leaving_out: Collection[str]) -> str | None:
    """The queue of the oldest row that is in none of these: near the head, as a rule, however many queues there are."""
    head = select(OutboxRow.id, OutboxRow.queue).order_by(OutboxRow.id).limit(HEAD).subquery()
    near = select(head.c.queue).where(head.c.queue.not_in(leaving_out)).order_by(head.c.id).limit(1)
    found: str | None = await session.scalar(near)
    if found is None:
        queues = _queues(leaving_out)
        its_oldest = select(func.min(OutboxRow.id)).where(OutboxRow.queue == queues.selected_columns.queue)
        found = await session.scalar(queues.order_by(its_oldest.scalar_subquery()).limit(1))
    return found


async def _first(session: AsyncSession, queue: str) -> list[int]:
    """As many rows as go in one call."""
    sizes = await session.execute(
        select(OutboxRow.id, OutboxRow.size)
        .where(OutboxRow.queue == queue)
        .order_by(OutboxRow.id)
        .limit(MAX_JOBS_PER_CALL)
    )
    taken, total = list[int](), 0
    for row_id, size in sizes:
        total += size if _is_whole(size) else MOST_CHARACTERS
        if taken and total > MOST_CHARACTERS:
            break
        taken.append(row_id)
    return taken


def _last_number(relay: OutboxRelayRow) -> int:
    return relay.number if _is_whole(relay.number) else 0


def _new_number(relay: OutboxRelayRow) -> int:
    relay.number = max(_last_number(relay) + 1, time.time_ns() // 1_000_000)
    return relay.number


def _new_mark() -> str:
    return f"{secrets.randbelow(10**9):09}"
