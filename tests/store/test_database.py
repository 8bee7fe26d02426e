"""The database's transactions, and what it says when something is wrong."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select, text, update

from corral.errors import DatabaseOutdated, DatabaseUnavailable
from corral.store.database import Database
from corral.store.operator_log import OperatorLog
from corral.store.tables import OperatorLogRow, OutboxRelayRow
from tests.servers import free_port


def entry(number: int) -> OperatorLogRow:
    """A row to write."""
    return OperatorLogRow(
        at=datetime(2026, 1, 1, tzinfo=UTC),
        actor="a",
        action="x",
        target=str(number),
        detail=None,
        outcome="done",
    )


async def count(database: Database) -> int:
    """How many rows there are."""
    async with database.reading() as session:
        return await session.scalar(select(func.count()).select_from(OperatorLogRow)) or 0


async def test_a_transaction_is_whole_or_not_at_all(database: Database) -> None:
    """What was written in a block that raises is not stored."""
    with pytest.raises(ZeroDivisionError):
        async with database.writing() as session:
            session.add(entry(1))
            await session.flush()
            raise ZeroDivisionError
    assert await count(database) == 0


async def test_writers_that_read_first_wait_for_each_other(database_url: str) -> None:
    """Many transactions that read and then write, over several engines as in several processes: each is stored."""
    async with Database(database_url) as one, Database(database_url) as other:
        await one.migrate()

        async def add(database: Database, number: int) -> None:
            async with database.writing() as session:
                await session.scalar(select(func.count()).select_from(OperatorLogRow))
                session.add(entry(number))

        await asyncio.gather(*(add(database, number) for number in range(15) for database in (one, other)))
        assert await count(one) == 30


async def test_times_come_back_in_utc(database: Database) -> None:
    """A time with another zone is stored as the same instant, and read in UTC."""
    log = OperatorLog(database, clock=lambda: datetime.fromisoformat("2026-03-01T01:00:00+05:30"))
    await log.write("a", "x", "t")
    (read,) = (await log.page()).entries
    assert read.at == datetime(2026, 2, 28, 19, 30, tzinfo=UTC)
    assert read.at.tzinfo is UTC


async def test_missing_tables_are_told_with_the_remedy(database_url: str) -> None:
    """A database that was never migrated: `DatabaseOutdated`, which says what to call."""
    async with Database(database_url) as database:
        with pytest.raises(DatabaseOutdated, match=r"migrate\(\)"):
            await OperatorLog(database).page()


@pytest.mark.parametrize("scheme", ["sqlite", "postgresql"])
async def test_an_unreachable_database_is_unavailable(scheme: str, tmp_path: Path) -> None:
    """Nobody listens, or the folder is not there: `DatabaseUnavailable`, without user and password."""
    place = {
        "sqlite": f"sqlite:///{tmp_path}/missing/corral.db",
        "postgresql": f"postgresql://me:hunter2@127.0.0.1:{free_port()}/x",
    }[scheme]
    async with Database(place) as database:
        for verb in (database.migrate, OperatorLog(database).page):
            with pytest.raises(DatabaseUnavailable) as caught:
                await verb()
            assert "hunter2" not in str(caught.value)
            assert caught.value.database == database.address


async def test_a_database_in_memory_is_one(tmp_path: Path) -> None:
    """`sqlite://` is a database in memory: its tables are there for everybody who has the `Database`."""
    async with Database("sqlite://") as database:
        await database.migrate()
        log = OperatorLog(database)
        await asyncio.gather(*(log.write("a", "x", str(number)) for number in range(10)))
        assert len((await log.page()).entries) == 10


async def test_a_file_survives_its_program(tmp_path: Path) -> None:
    """What was stored is there for the next `Database`, and SQLite's readers do not wait for its writers."""
    url = f"sqlite:///{tmp_path}/corral.db"
    async with Database(url) as database:
        await database.migrate()
        await OperatorLog(database).write("a", "x", "t")
    async with Database(url) as database:
        assert len((await OperatorLog(database).page()).entries) == 1
        async with database.writing() as session:
            session.add(entry(1))
            await session.flush()
            assert await count(database) == 1
            assert await session.scalar(text("PRAGMA journal_mode")) == "wal"


async def test_a_cancelled_transaction_locks_nobody_out(database_url: str) -> None:
    """Wherever it is cancelled, others can write at once: on SQLite one transaction locks the whole file."""
    chance = random.Random(4)
    async with Database(database_url) as cancelled, Database(database_url) as other:
        await cancelled.migrate()

        async def write(database: Database) -> None:
            async with database.writing() as session:
                await session.execute(select(OutboxRelayRow).with_for_update())
                await session.execute(update(OutboxRelayRow).values(number=1))

        for _ in range(60):
            task = asyncio.create_task(write(cancelled))
            await asyncio.wait({task}, timeout=chance.uniform(0, 0.004))
            task.cancel()
            await asyncio.wait({task})
            async with asyncio.timeout(10):
                await write(other)


async def test_sessions_of_an_application(database: Database) -> None:
    """They write in one transaction, whose values can be read after it, and wait for another writer."""

    async def count() -> None:
        async with database.sessions().begin() as session:
            row = (await session.scalars(select(OutboxRelayRow).with_for_update())).one()
            row.number += 1

    await asyncio.gather(*(count() for _ in range(5)))
    async with database.reading() as session:
        assert await session.scalar(select(OutboxRelayRow.number)) == 5
