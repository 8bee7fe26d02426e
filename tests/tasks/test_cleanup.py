"""Cleanup by way of a queue, of tables of an application's own and of Corral's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import redis.asyncio
from sqlalchemy import DateTime
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from corral import Admin, Client, FailureKind, JobFailed, Worker
from corral.store.audit_log import AuditEntry, AuditLog
from corral.store.database import Database
from corral.tasks.cleanup import Age, Cleaner, CleanupTasks, Old, OldRows, Orphans


class Base(DeclarativeBase):
    """An application's own tables."""


class Session(Base):
    """Somebody is logged in until then."""

    __tablename__ = "sessions"
    id: Mapped[int] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class LogLine(Base):
    """Something was said then."""

    __tablename__ = "log_lines"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


TABLES = {"sessions": Old(Session.id, Session.expires_at), "logs": Old(LogLine.id, LogLine.at)}
NOW = datetime.now(UTC)


@pytest.fixture
async def shop(database: Database) -> Database:
    """The application's tables beside Corral's: 25 sessions, of which 20 have expired; 3 log lines."""
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with database.writing() as session:
        session.add_all(Session(expires_at=NOW + timedelta(hours=at)) for at in range(-20, 6) if at)
        session.add_all(LogLine(at=NOW - timedelta(days=days)) for days in (1, 20, 40))
    return database


@pytest.fixture
async def _worker(client: Client, admin: Admin, shop: Database) -> AsyncIterator[Worker]:
    async with Worker(Cleaner(shop, tables=TABLES, admin=admin).tasks(), client=client) as worker:
        yield worker


@pytest.mark.usefixtures("_worker")
async def test_what_is_old_goes(client: Client) -> None:
    """It is said how far it is; what is not old stays."""
    job = await CleanupTasks.expired_sessions.enqueue(client, None)
    assert (await job.result(timeout=10)).count == 20
    done = await client.queue("cleanup").get(job.id)
    assert done
    assert done.progress == {"removed": 20, "of": 20}
    assert (await (await CleanupTasks.old_logs.enqueue(client, Age(days=30))).result(timeout=10)).count == 1
    rows = await CleanupTasks.rows.enqueue(client, OldRows(table="logs", days=10))
    assert (await rows.result(timeout=10)).count == 1


@pytest.mark.usefixtures("_worker")
async def test_our_own_tables(client: Client, database: Database) -> None:
    """Corral's tables go by their names."""
    log = AuditLog(database)
    for days in (1, 400):
        entry = AuditEntry(
            at=NOW - timedelta(days=days), org="acme", actor="ada", actor_type="user", action="x",
            resource_type="", resource_id="", detail={},
        )  # fmt: skip
        await log.record(entry, job=str(days))
    job = await CleanupTasks.rows.enqueue(client, OldRows(table="corral_audit_log", days=365))
    assert (await job.result(timeout=10)).count == 1
    assert [kept.job for kept in (await log.page("acme")).entries] == ["1"]


@pytest.mark.usefixtures("_worker")
async def test_orphaned_jobs(client: Client, redis_url: str, prefix: str) -> None:
    """Jobs that are in no state are found and removed, and no other."""
    queue = client.queue("mail")
    lost, kept = await queue.enqueue("a", 1), await queue.enqueue("a", 2)
    async with redis.asyncio.Redis.from_url(redis_url) as raw:
        assert await raw.lrem(f"{prefix}:mail:wait", 1, lost.id) == 1
    job = await CleanupTasks.orphaned_jobs.enqueue(client, Orphans(queue="mail"))
    assert (await job.result(timeout=10)).count == 1
    assert await queue.get(lost.id) is None
    assert await queue.get(kept.id)


@pytest.mark.usefixtures("_worker")
async def test_unknown_tables_fail_for_good(client: Client) -> None:
    """A name that nobody registered is permanent, and the reason names those that there are."""
    job = await CleanupTasks.rows.enqueue(client, OldRows(table="users", days=1))
    with pytest.raises(JobFailed, match="there are: corral_audit_log"):
        await job.result(timeout=10)
    found = await client.queue("cleanup").get(job.id)
    assert found
    assert (found.failure_kind, found.attempts_made) == (FailureKind.PERMANENT, 1)
