"""Cleanup by way of a queue, of tables of an application's own and of Corral's."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis.asyncio
from sqlalchemy import DateTime, ForeignKey, TypeDecorator, insert, select
from sqlalchemy.orm import DeclarativeBase, Mapped, aliased, mapped_column

from corral import Admin, Client, FailureKind, JobFailed, Worker
from corral.client.events import EventSubscription
from corral.errors import InvalidOption
from corral.store.audit_log import AuditEntry, AuditLog
from corral.store.database import Database
from corral.store.webhook_events import WebhookEvents
from corral.tasks.cleanup import Age, Cleaner, CleanupTasks, Latest, Old, OldRows, Orphans
from tests.store.test_webhook_events import attempt


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


class Visit(Base):
    """Somebody was here then: in UTC, without a zone."""

    __tablename__ = "visits"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime())


class Reading(Base):
    """What a device measured then: its key is of two columns, of which neither tells rows apart."""

    __tablename__ = "readings"
    device: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)


class Post(Base):
    """Posts and drafts, in one table."""

    __tablename__ = "posts"
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "post"}  # noqa: RUF012 (SQLAlchemy reads it as it is)
    number: Mapped[int] = mapped_column("id", primary_key=True)
    kind: Mapped[str]
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Draft(Post):
    """A post that nobody reads."""

    __mapper_args__ = {"polymorphic_identity": "draft"}  # noqa: RUF012 (SQLAlchemy reads it as it is)


class Film(Post):
    """A post with a table of its own beside that of posts."""

    __tablename__ = "films"
    __mapper_args__ = {"polymorphic_identity": "film"}  # noqa: RUF012 (SQLAlchemy reads it as it is)
    film: Mapped[int] = mapped_column(ForeignKey(Post.number), primary_key=True)


class Basket(Base):
    """Something that others refer to."""

    __tablename__ = "baskets"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Order(Base):
    """What refers to it."""

    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    basket: Mapped[int] = mapped_column(ForeignKey(Basket.id))


class Zoned(TypeDecorator[datetime]):
    """A type of the application's own, built upon times."""

    impl = DateTime(timezone=True)
    cache_ok = True


class Event(Base):
    """Something happened then: as seconds since 1970, as a text, and in the application's own type."""

    __tablename__ = "events"
    id: Mapped[int] = mapped_column(primary_key=True)
    seconds: Mapped[int]
    text: Mapped[str]
    at: Mapped[datetime] = mapped_column(Zoned())


TABLES = {
    "visits": Old(Visit.at),
    "sessions": Old(Session.expires_at),
    "logs": Old(LogLine.at),
    "readings": Old(Reading.at),
    "drafts": Old(Draft.at),
    "baskets": Old(Basket.at),
}
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


async def progress(events: EventSubscription) -> list[dict[str, int]]:
    """What the next job to complete tells of its progress."""
    told: list[dict[str, int]] = []
    async for event in events:
        if event.name == "progress":
            told.append(json.loads(event.fields["data"]))
        if event.name == "completed":
            break
    return told


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
    assert done.progress == {"removed": 20}
    assert (await (await CleanupTasks.old_logs.enqueue(client, Age(days=30))).result(timeout=10)).count == 1
    rows = await CleanupTasks.rows.enqueue(client, OldRows(table="logs", days=10))
    assert (await rows.result(timeout=10)).count == 1


@pytest.mark.usefixtures("_worker")
async def test_much_goes_in_steps(client: Client, shop: Database) -> None:
    """A thousand rows in each, and somebody who looks on sees them go."""
    async with shop.writing() as session:
        await session.execute(insert(LogLine), [{"at": NOW - timedelta(days=90)}] * 2400)
    async with client.queue("cleanup").events() as events:
        job = await CleanupTasks.old_logs.enqueue(client, Age(days=60))
        told = await progress(events)
    assert told == [{"removed": 1000}, {"removed": 2000}, {"removed": 2400}]
    assert (await job.result(timeout=20)).count == 2400


@pytest.mark.usefixtures("_worker")
async def test_two_tasks_may_clean_one_table(client: Client, shop: Database) -> None:
    """Each row goes once, whoever takes it."""
    async with shop.writing() as session:
        await session.execute(insert(LogLine), [{"at": NOW - timedelta(days=90)}] * 2400)
    jobs = [
        await CleanupTasks.old_logs.enqueue(client, Age(days=60)),
        await CleanupTasks.rows.enqueue(client, OldRows(table="logs", days=60)),
    ]
    assert sum([(await job.result(timeout=20)).count for job in jobs]) == 2400


@pytest.mark.usefixtures("_worker")
async def test_times_without_a_zone(client: Client, shop: Database) -> None:
    """Are in UTC."""
    async with shop.writing() as session:
        session.add_all(Visit(at=(NOW - timedelta(hours=hours)).replace(tzinfo=None)) for hours in (23, 25))
    job = await CleanupTasks.rows.enqueue(client, OldRows(table="visits", days=1))
    assert (await job.result(timeout=10)).count == 1


@pytest.mark.usefixtures("_worker")
async def test_a_key_of_several_columns(client: Client, shop: Database) -> None:
    """The whole key says which rows go, and not one of its columns, which young rows have too."""
    async with shop.writing() as session:
        session.add_all(
            Reading(device=device, at=NOW - timedelta(days=days)) for device in (1, 2) for days in (1, 2, 40)
        )
    job = await CleanupTasks.rows.enqueue(client, OldRows(table="readings", days=30))
    assert (await job.result(timeout=10)).count == 2
    async with shop.reading() as session:
        left = (await session.scalars(select(Reading.at))).all()
    assert {(NOW - at.replace(tzinfo=UTC)).days for at in left} == {1, 2}
    assert len(left) == 4


@pytest.mark.usefixtures("_worker")
async def test_a_class_among_others_of_its_table(client: Client, shop: Database) -> None:
    """Only its own rows go, and no step is spent on the others."""
    async with shop.writing() as session:
        await session.execute(insert(Post), [{"at": NOW - timedelta(days=50)}] * 1001)
        session.add(Draft(at=NOW - timedelta(days=40)))
    job = await CleanupTasks.rows.enqueue(client, OldRows(table="drafts", days=30))
    assert (await job.result(timeout=10)).count == 1
    async with shop.reading() as session:
        assert set(await session.scalars(select(Post.kind))) == {"post"}


@pytest.mark.usefixtures("_worker")
async def test_webhook_events_by_count(client: Client, database: Database) -> None:
    """Of each subscription the latest stay, whether it is still there or not."""
    events = WebhookEvents(database)
    for number in range(7):
        await events.record(attempt(subscription_id="a" if number % 2 else "ß"))
    job = await CleanupTasks.webhook_events.enqueue(client, Latest(count=2))
    assert (await job.result(timeout=10)).count == 3
    assert [len((await events.page(one)).events) for one in ("a", "ß")] == [2, 2]
    done = await client.queue("cleanup").get(job.id)
    assert done
    assert done.progress == {"removed": 3}


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
    """Jobs that are in no state are found and removed, and no other; how far the search is can be seen."""
    queue = client.queue("mail")
    lost, kept = await queue.enqueue("a", 1), await queue.enqueue("a", 2)
    async with redis.asyncio.Redis.from_url(redis_url) as raw:
        assert await raw.lrem(f"{prefix}:mail:wait", 1, lost.id) == 1
    async with client.queue("cleanup").events() as events:
        job = await CleanupTasks.orphaned_jobs.enqueue(client, Orphans(queue="mail"))
        first, *_, last = await progress(events)
    assert (await job.result(timeout=10)).count == 1
    assert 0 < first["examined"] <= first["of"]
    assert last == {"removed": 1}
    assert await queue.get(lost.id) is None
    assert await queue.get(kept.id)


@pytest.mark.usefixtures("_worker")
async def test_rows_that_others_refer_to(client: Client, shop: Database) -> None:
    """Fail for good, at once, and say of which table and what to do; without SQL. Those that are older have gone."""
    async with shop.writing() as session:
        session.add_all(Basket(id=number, at=NOW - timedelta(days=40 - number)) for number in range(1, 9))
        await session.flush()
        session.add(Order(basket=6))
    job = await CleanupTasks.rows.enqueue(client, OldRows(table="baskets", days=30))
    with pytest.raises(JobFailed, match=r"old rows of 'baskets'.*ON DELETE") as told:
        await job.result(timeout=10)
    assert not {"SQL", "class"} & set(re.findall(r"\w+", str(told.value)))
    found = await client.queue("cleanup").get(job.id)
    assert found
    assert (found.failure_kind, found.attempts_made) == (FailureKind.PERMANENT, 1)
    async with shop.reading() as session:
        assert sorted(await session.scalars(select(Basket.id))) == [6, 7, 8]


@pytest.mark.usefixtures("_worker")
async def test_unknown_tables_fail_for_good(client: Client) -> None:
    """A name that nobody registered is permanent, and the reason names those that there are."""
    job = await CleanupTasks.rows.enqueue(client, OldRows(table="users", days=1))
    with pytest.raises(JobFailed, match=r"there are: baskets, corral_audit_log.*tables=\{'users': Old"):
        await job.result(timeout=10)
    found = await client.queue("cleanup").get(job.id)
    assert found
    assert (found.failure_kind, found.attempts_made) == (FailureKind.PERMANENT, 1)


@pytest.mark.parametrize("column", [Event.seconds, Event.text, "at"], ids=["number", "text", "name"])
def test_a_column_without_times_is_no_age(column: Any) -> None:
    """Compared with a time, each number and each text would be old, and all rows would go: refused when it is
    registered."""
    with pytest.raises(InvalidOption, match="give a column of the type DateTime"):
        Old(column)


@pytest.mark.parametrize(
    "column", [LogLine.__table__.c.at, aliased(LogLine).at, Film.at], ids=["table", "alias", "two"]
)
def test_a_column_of_no_single_table(column: Any) -> None:
    """Its mapped class has the key by which rows go: what has none, or is of two tables, is refused when it is
    registered."""
    with pytest.raises(InvalidOption, match="mapped to one table"):
        Old(column)


def test_a_type_of_ones_own_may_have_times() -> None:
    """One that is built upon times is as good."""
    assert Old(Event.at).time is Event.at
