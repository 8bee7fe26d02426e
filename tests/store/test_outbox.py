"""The outbox: a job is a row of the caller's transaction, in an asynchronous session or a blocking one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, create_engine, func, select, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session, async_sessionmaker
from sqlalchemy.orm import Session, registry, scoped_session, sessionmaker

from corral import Client, Cron, DatabaseOutdated, InvalidJobId, InvalidOption, InvalidPayload
from corral.contracts.producer import EnqueueRequest
from corral.store.database import Database
from corral.store.outbox import OutboxReceipt, outbox
from corral.store.relay import Relay
from corral.store.tables import OutboxRow
from tests.store.tasks import Digest, MailTasks

ADA = Digest(to="ada@example.org")


@pytest.fixture
def sessions(database: Database) -> async_sessionmaker[AsyncSession]:
    """The application's sessions."""
    return async_sessionmaker(database.engine, expire_on_commit=False)


@pytest.fixture
def blocking_sessions(database: Database, database_url: str) -> Iterator[sessionmaker[Session]]:
    """Those of an application without an event loop."""
    engine = create_engine(database_url.replace("postgresql:", "postgresql+psycopg:"))
    yield sessionmaker(engine)
    engine.dispose()


@pytest.fixture
async def relay(database: Database, client: Client) -> Relay:
    """A relay that moves what it is told to."""
    return Relay(database, client)


async def waiting(database: Database) -> int:
    """How many jobs wait in the outbox."""
    async with database.reading() as session:
        return await session.scalar(select(func.count()).select_from(OutboxRow)) or 0


async def test_a_commit_enqueues(
    sessions: async_sessionmaker[AsyncSession], relay: Relay, client: Client
) -> None:
    """Nothing is in the queue before the relay has moved it; then the job is as if it had been enqueued."""
    async with sessions.begin() as session:
        receipt = await MailTasks.digest.enqueue(outbox(session), ADA, attempts=7, priority=3)
    assert not await client.queues()
    assert await relay.drain() == 1
    job = await client.queue("mail").get(receipt.job_id)
    assert job is not None
    assert (job.name, job.data, job.priority) == ("mail.digest", {"to": "ada@example.org", "days": 1}, 3)
    assert job.opts.attempts == 7


async def test_a_rollback_enqueues_nothing(
    sessions: async_sessionmaker[AsyncSession], database: Database, relay: Relay
) -> None:
    """Of a whole transaction, and of a savepoint, whose transaction goes on."""
    with pytest.raises(RuntimeError):
        async with sessions.begin() as session:
            await MailTasks.digest.enqueue(outbox(session), ADA)
            raise RuntimeError
    async with sessions.begin() as session:
        await MailTasks.digest.enqueue(outbox(session), ADA, job_id="kept")
        with pytest.raises(RuntimeError):
            async with session.begin_nested():
                await MailTasks.digest.enqueue(outbox(session), ADA, job_id="given-up")
                raise RuntimeError
    async with database.reading() as reading:
        assert list(await reading.scalars(select(OutboxRow.job_id))) == ["kept"]


async def test_a_job_keeps_to_its_row(sessions: async_sessionmaker[AsyncSession], database: Database) -> None:
    """A savepoint of the connection, of which the session knows nothing, takes back what came after it: never the job
    without the row before it, nor the row without the job. Nor does the session forget a job with its objects."""
    table = Table("orders", MetaData(), Column("id", Integer, primary_key=True))
    mapped = registry()

    class Order:
        """A row of the application's."""

    mapped.map_imperatively(Order, table)
    async with database.writing() as session:
        await session.run_sync(lambda each: table.create(each.connection()))
    async with sessions.begin() as session:
        session.add(Order())
        await MailTasks.purge.enqueue(outbox(session), None, job_id="kept")
        savepoint = await (await session.connection()).begin_nested()
        session.add(Order())
        await MailTasks.purge.enqueue(outbox(session), None, job_id="given-up")
        await session.execute(select(Order))
        await savepoint.rollback()
        session.expunge_all()
    async with database.reading() as reading:
        assert list(await reading.scalars(select(table.c.id))) == [1]
        assert list(await reading.scalars(select(OutboxRow.job_id))) == ["kept"]


def test_a_session_that_cannot_reach_the_outbox(tmp_path: Path) -> None:
    """It is told when the job is enqueued, with the remedy: no engine for the outbox, a database without its tables."""
    elsewhere = create_engine(f"sqlite:///{tmp_path}/elsewhere.db")
    with (
        Session(binds={Digest: elsewhere}) as session,
        pytest.raises(InvalidOption, match="OutboxRow: engine"),
    ):
        MailTasks.digest.enqueue(outbox(session), ADA)
    with Session(elsewhere) as session, pytest.raises(DatabaseOutdated, match="migrate") as refused:
        MailTasks.digest.enqueue(outbox(session), ADA)
    assert "ada@" not in str(refused.value)
    elsewhere.dispose()


def test_a_table_of_the_applications_is_not_corrals(tmp_path: Path) -> None:
    """What the session has still to flush may lack a table, too: then nobody is sent to migrate Corral's."""

    class Order:
        pass

    mapping = registry()
    mapping.map_imperatively(
        Order, Table("orders", mapping.metadata, Column("id", Integer, primary_key=True))
    )
    engine = create_engine(f"sqlite:///{tmp_path}/shop.db")
    with Session(engine) as session, pytest.raises(OperationalError, match="no such table: orders"):
        session.add(Order())
        MailTasks.digest.enqueue(outbox(session), ADA)
    engine.dispose()


async def test_an_error_of_the_database_holds_no_payload(
    blocking_sessions: sessionmaker[Session], database: Database
) -> None:
    """It is SQLAlchemy's own, by which an application knows what it may repeat, without the values."""
    async with database.writing() as session:
        await session.execute(text("CREATE UNIQUE INDEX one_each ON corral_outbox (queue)"))
    with blocking_sessions() as blocking, pytest.raises(IntegrityError) as refused:
        MailTasks.digest.enqueue_many(outbox(blocking), [ADA, ADA])
    assert "ada@" not in str(refused.value)


async def test_no_job_at_all(sessions: async_sessionmaker[AsyncSession], database: Database) -> None:
    """An empty list writes nothing."""
    async with sessions.begin() as session:
        assert await MailTasks.digest.enqueue_many(outbox(session), []) == []
    assert await waiting(database) == 0


async def test_the_receipt(sessions: async_sessionmaker[AsyncSession]) -> None:
    """It has the id, also one that is written otherwise in Redis, and nothing to wait for."""
    async with sessions.begin() as session:
        own = await MailTasks.digest.enqueue(outbox(session), ADA, job_id="a:b:c:d")
        made = await MailTasks.purge.enqueue(outbox(session), None)
    assert own == OutboxReceipt("mail", "a:b:c:d")
    assert len(made.job_id) == 36
    assert not hasattr(own, "result")


async def test_many_in_their_order(
    sessions: async_sessionmaker[AsyncSession], relay: Relay, client: Client
) -> None:
    """More than go in one call arrive as they were written."""
    count = 1_203
    async with sessions.begin() as session:
        receipts = await MailTasks.digest.enqueue_many(
            outbox(session), [Digest(to=str(number)) for number in range(count)]
        )
    assert await relay.drain() == count
    queue, ids = client.queue("mail"), list[str]()
    while page := await queue.jobs("waiting", start=len(ids), limit=1000):
        ids += [job.id for job in page]
    assert ids == [receipt.job_id for receipt in receipts]


async def test_a_blocking_session(
    blocking_sessions: sessionmaker[Session], database: Database, relay: Relay, client: Client
) -> None:
    """The same without await, also from another thread than the relay's."""

    def order() -> list[OutboxReceipt]:
        with blocking_sessions.begin() as session:
            one = MailTasks.purge.enqueue(outbox(session), None)
            return [one, *MailTasks.digest.enqueue_many(outbox(session), [ADA, ADA])]

    receipts = await asyncio.to_thread(order)
    await relay.drain()
    assert [job.id for job in await client.queue("mail").jobs("waiting")] == [one.job_id for one in receipts]


async def test_scoped_sessions(
    database: Database, sessions: async_sessionmaker[AsyncSession], blocking_sessions: sessionmaker[Session]
) -> None:
    """A registry of sessions stands for the one that is current."""
    scoped = async_scoped_session(sessions, asyncio.current_task)
    await MailTasks.purge.enqueue(outbox(scoped), None)
    await scoped.commit()
    await scoped.remove()
    current = scoped_session(blocking_sessions)
    MailTasks.purge.enqueue(outbox(current), None)
    current.commit()
    current.remove()
    assert await waiting(database) == 2


async def test_what_cannot_be_is_refused_at_once(
    sessions: async_sessionmaker[AsyncSession], database: Database
) -> None:
    """A payload that does not validate, an id, a schedule: nothing is written, and the transaction goes on."""
    async with sessions.begin() as session:
        target = outbox(session)
        with pytest.raises(InvalidPayload):
            await MailTasks.digest.enqueue(target, {"to": "ada", "days": -1})  # type: ignore[call-overload]
        with pytest.raises(InvalidJobId):
            await MailTasks.digest.enqueue(target, ADA, job_id="17")
        with pytest.raises(InvalidOption, match="cron job in the database"):
            await MailTasks.digest.enqueue(target, ADA, repeat=Cron("0 9 * * *"))
        await MailTasks.digest.enqueue(target, ADA)
    assert await waiting(database) == 1


def test_what_is_no_session_is_refused() -> None:
    """With the remedy, before anything is enqueued."""
    with pytest.raises(TypeError, match="AsyncSession or a Session"):
        outbox("sqlite:///")  # type: ignore[call-overload]


class Recorder:
    """Follows jobs from their producer."""

    def __init__(self) -> None:
        self.names: list[str] = []

    @contextmanager
    def enqueueing(self, requests: Sequence[EnqueueRequest[Any]]) -> Iterator[str]:
        """Take note of the jobs."""
        self.names += [request.name for request in requests]
        yield "00-trace-of-the-caller-01"


async def test_traces_go_along(
    sessions: async_sessionmaker[AsyncSession], relay: Relay, client: Client
) -> None:
    """A job belongs to the trace of the call that wrote it, not to the relay's."""
    recorder = Recorder()
    async with sessions.begin() as session:
        receipt = await MailTasks.purge.enqueue(outbox(session, telemetry=recorder), None)
    await relay.drain()
    opts = await client.server.call("HGET", client.server.keys("mail").job(receipt.job_id), "opts")
    assert recorder.names == ["mail.purge"]
    assert json.loads(opts)["tm"] == "00-trace-of-the-caller-01"
