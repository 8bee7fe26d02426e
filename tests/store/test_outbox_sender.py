"""The server's side of a relay: a batch is added once, whole, and as its jobs asked for."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, select

from corral import Admin, Client, Deduplication, DurabilityUnavailable, OutboxHalfway, QueueDamaged
from corral.store.database import Database
from corral.store.outbox import outbox, outbox_lag
from corral.store.outbox_sender import Overtaken
from corral.store.relay import Relay
from corral.store.tables import OutboxBatchRow, OutboxRow
from tests.servers import ServerProcess
from tests.store.outboxes import (
    added,
    begun,
    forget_job,
    let_go,
    rows,
    scanned,
    sending,
    write,
)
from tests.store.tasks import Digest, MailTasks


async def test_a_relay_that_stood_still_does_no_harm(
    database: Database, client: Client, admin: Admin
) -> None:
    """It wakes up with a batch in its hands that others have moved, and the one behind it: the server refuses it."""
    await write(database, "a")
    old = await begun(database)
    await let_go(database)
    await Relay(database, client).drain()
    await write(database, "b")
    await Relay(database, client).drain()
    for job_id in ("a", "b"):
        await forget_job(admin, job_id)
    async with sending(client) as sender:
        with pytest.raises(Overtaken):
            await sender.send(old)
    assert await added(client) == ["a", "b"]


async def test_a_copy_of_the_database_is_another_one(database: Database, client: Client) -> None:
    """Both draw the same number for different jobs: neither is taken for a repeat of the other."""
    await write(database, "a")
    first = await begun(database)
    copied = first._replace(mark="123456789", rows=[copy.copy(first.rows[0])])
    async with sending(client) as sender:
        await sender.send(first)
        copied.rows[0].job_id = "copied"
        marks = sorted([first.mark, copied.mark])
        if marks[0] == first.mark:
            await sender.send(copied)
        else:
            with pytest.raises(Overtaken) as raised:
                await sender.send(copied)
            await sender.send(copied._replace(number=raised.value.beyond + 1))
    assert await added(client) == ["a", "copied"]


async def test_a_call_that_cannot_be_carried_out_is_not_begun(database: Database, client: Client) -> None:
    """A key that is damaged is found before the first job is added, or that one would be added at each repeat."""
    keys = client.server.keys("mail")
    await client.server.call("SET", keys.key("delayed"), "damaged")
    async with database.writing() as session:
        await MailTasks.purge.enqueue(outbox(session), None, job_id="now", priority=1)
        await MailTasks.purge.enqueue(outbox(session), None, job_id="later", delay=60)
    relay = Relay(database, client)
    for _ in range(2):
        with pytest.raises(QueueDamaged, match="is no zset"):
            await relay.drain()
    assert await added(client) == []
    await client.server.call("DEL", keys.key("delayed"))
    assert await relay.drain() == 2


async def test_a_call_that_failed_halfway_is_not_made_again(database: Database, client: Client) -> None:
    """What was added of it would be added at each repeat: the queue stands still instead. A person mends what it failed
    of, takes away what has arrived, and lets the rest go in another batch."""
    async with database.writing() as session:
        await MailTasks.purge.enqueue(outbox(session), None, job_id="first", priority=1)
        second = await MailTasks.purge.enqueue(outbox(session), None)
    key = client.server.keys("mail").job(second.job_id)
    await client.server.call("SET", key, "damaged")
    relay = Relay(database, client)
    with pytest.raises(QueueDamaged, match="WRONGTYPE"):
        await relay.drain()
    await client.server.call("DEL", key)
    for _ in range(2):
        with pytest.raises(OutboxHalfway, match="queue 'mail' only in part"):
            await relay.drain()
    async with database.writing() as session:
        await session.execute(delete(OutboxRow).where(OutboxRow.job_id == "first"))
        await session.execute(delete(OutboxBatchRow).where(OutboxBatchRow.queue == "mail"))
    assert await relay.drain() == 1
    assert await added(client) == ["first", second.job_id]


async def test_keys_that_deduplication_writes(database: Database, client: Client) -> None:
    """They are looked at before the first job is added, like those of the line."""
    key = client.server.keys("mail").key("failed")
    await client.server.call("SET", key, "damaged")
    newest = Deduplication.superseding("only")
    async with database.writing() as session:
        await MailTasks.purge.enqueue(outbox(session), None, job_id="first", priority=1)
        for job_id in ("older", "newer"):
            await MailTasks.purge.enqueue(
                outbox(session), None, job_id=job_id, delay=60, deduplication=newest
            )
    relay = Relay(database, client)
    for _ in range(2):
        with pytest.raises(QueueDamaged, match="failed is no zset"):
            await relay.drain()
    assert await added(client) == []
    await client.server.call("DEL", key)
    assert await relay.drain() == 3


async def test_all_options_go_along(database: Database, client: Client) -> None:
    """The time, the deduplication, the place in line: as a client would have sent them."""
    at = datetime.now(UTC) + timedelta(hours=3)
    async with database.writing() as session:
        target = outbox(session)
        await MailTasks.purge.enqueue(target, None, job_id="first")
        await MailTasks.purge.enqueue(target, None, job_id="next", lifo=True)
        await MailTasks.purge.enqueue(target, None, job_id="at", run_at=at)
        await MailTasks.purge.enqueue(target, None, job_id="one", deduplication="only")
        await MailTasks.purge.enqueue(target, None, job_id="two", deduplication="only")
    await Relay(database, client).drain()
    queue = client.queue("mail")
    assert [job.id for job in await queue.jobs("waiting")] == ["next", "first", "one"]
    (later,) = await queue.jobs("delayed")
    assert later.id == "at"
    assert abs(timedelta(milliseconds=later.delay) - timedelta(hours=3)) < timedelta(minutes=1)


async def test_delays_count_from_the_call(database: Database, client: Client) -> None:
    """However long a row has waited for its way: half an hour of an hour is left, and nothing of a minute."""
    async with database.writing() as session:
        for job_id, delay in (("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1))):
            await MailTasks.digest.enqueue(outbox(session), Digest(to="a"), job_id=job_id, delay=delay)
        await session.flush()
        for row in await session.scalars(select(OutboxRow)):
            row.created_at -= timedelta(minutes=30)
    relay = Relay(database, client)
    assert timedelta(minutes=30) <= await outbox_lag(database) < timedelta(minutes=31)
    await relay.drain()
    assert [job.id for job in await client.queue("mail").jobs("waiting")] == ["minute"]
    (hour,) = await client.queue("mail").jobs("delayed")
    assert timedelta(minutes=29) < timedelta(milliseconds=hour.delay) <= timedelta(minutes=30)


async def test_durability(database: Database, make_server: Callable[..., ServerProcess]) -> None:
    """A job that asked for the server's disk is gone from the outbox only when it is there; the position stays for a
    year. One that asked for a replica which there is not stays."""
    server = make_server(appendonly="everysec")
    async with Client(server.url) as client:
        await write(database, "disk", durability="fsync")
        relay = Relay(database, client)
        assert await relay.drain() == 1
        stats = await client.server.call("INFO", "commandstats")
        assert re.findall(rb"cmdstat_waitaof:calls=(\d+)", stats) == [b"3"], (
            "asked for twice, waited for once"
        )
        (record,) = [key async for key in scanned(client, "*sent:outbox:*")]
        assert await client.server.call("PTTL", record) > timedelta(days=364) / timedelta(milliseconds=1)
        await write(database, "replica", durability="replicated")
        with pytest.raises(DurabilityUnavailable):
            await relay.drain()
        assert await rows(database) == 1
