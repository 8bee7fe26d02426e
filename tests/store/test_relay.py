"""The relay: what was committed reaches the server once and in order, whatever ends, hangs or comes back in between."""

from __future__ import annotations

import asyncio
import copy
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from sqlalchemy import delete, func, insert, select, update

from corral import Admin, Client, DurabilityUnavailable, QueueDamaged, ServerUnavailable, Task, TaskSet, task
from corral.contracts.options import Durability, EnqueueOptions
from corral.store import relay as relay_module
from corral.store.database import Database
from corral.store.outbox import outbox, outbox_lag
from corral.store.outbox_batches import Batch, OutboxBatches
from corral.store.outbox_sender import OutboxSender, Overtaken
from corral.store.relay import Relay
from corral.store.tables import OutboxBatchRow, OutboxRelayRow, OutboxRow
from tests.servers import ServerProcess
from tests.store.tasks import Digest, MailTasks


class OtherTasks(TaskSet, queue="other"):
    """Another queue."""

    count: Task[int, None] = task("other.count")


async def write(database: Database, *ids: str, durability: Durability | None = None) -> None:
    """Commit jobs with these ids."""
    async with database.writing() as session:
        for one in ids:
            options = EnqueueOptions(job_id=one)
            if durability is not None:
                options["durability"] = durability
            await MailTasks.purge.enqueue(outbox(session), None, **options)


async def arrivals(client: Client, count: int, queue: str = "mail") -> list[str]:
    """The ids of the jobs that were ever added to a queue, in their order, once there are so many."""
    found = list[str]()
    async with asyncio.timeout(20), client.queue(queue).events(after="0-0") as events:
        async for event in events:
            if event.name == "added" and event.job_id:
                found.append(event.job_id)
            if len(found) == count:
                break
    return found


async def added(client: Client, queue: str = "mail") -> list[str]:
    """The ids of the jobs that were ever added to a queue so far, in their order."""
    entries = await client.server.call("XRANGE", client.server.keys(queue).key("events"), "-", "+")
    fields = [dict(zip(words[::2], words[1::2], strict=True)) for _, words in entries]
    return [entry[b"jobId"].decode() for entry in fields if entry[b"event"] == b"added"]


async def rows(database: Database) -> int:
    """How many rows the outbox has."""
    async with database.reading() as session:
        return await session.scalar(select(func.count()).select_from(OutboxRow)) or 0


async def begun(database: Database, lease: float = 10.0) -> Batch:
    """The next batch of a relay that dies before it has said that it arrived."""
    turn = await OutboxBatches(database, lease=lease).advance()
    assert turn.batch is not None
    return turn.batch


@asynccontextmanager
async def sending(client: Client) -> AsyncIterator[OutboxSender]:
    """The server's side alone."""
    sender = OutboxSender(client.server)
    yield sender
    await sender.close()


async def until(condition: Callable[[], object]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0)


async def let_go(database: Database) -> None:
    """The time of the relay whose turn it is has passed."""
    async with database.writing() as session:
        await session.execute(update(OutboxRelayRow).values(holder=None))


async def forget_job(admin: Admin, job_id: str) -> None:
    """As if the job had run, and had been trimmed."""
    await admin.queue("mail").jobs.remove(job_id)


async def test_it_moves_rows_while_it_runs(database: Database, client: Client) -> None:
    """What is committed inside of the block is enqueued, and the rows are gone."""
    async with Relay(database, client, interval=0.01):
        await write(database, "a", "b")
        assert await arrivals(client, 2) == ["a", "b"]
    assert await rows(database) == 0
    assert await outbox_lag(database) == timedelta(0)


async def test_a_repeat_adds_nothing_although_the_job_is_gone(
    database: Database, client: Client, admin: Admin
) -> None:
    """A relay that died after the server had the batch: the next one sends it again, when its jobs have run and were
    trimmed."""
    await write(database, "a", "b")
    async with sending(client) as sender:
        await sender.send(await begun(database))
    for job_id in ("a", "b"):
        await forget_job(admin, job_id)
    await let_go(database)
    assert await Relay(database, client).drain() == 2
    assert (await added(client), await rows(database)) == (["a", "b"], 0)


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


async def test_a_database_from_a_backup_loses_nothing(database: Database, client: Client) -> None:
    """Its numbers are old ones: a batch that it holds as begun is sent under a new number."""
    await write(database, "a")
    old = await begun(database)
    await let_go(database)
    await Relay(database, client).drain()
    await write(database, "b")
    await Relay(database, client).drain()
    async with database.writing() as session:  # the backup was made when batch `old` was under way
        await session.execute(update(OutboxRelayRow).values(number=old.number))
        row = {column.name: getattr(old.rows[0], column.name) for column in OutboxRow.__table__.columns}
        await session.execute(insert(OutboxRow).values(**row | {"job_id": "restored"}))
        row_ids = [old.rows[0].id]
        session.add(OutboxBatchRow(queue="mail", number=old.number, mark=old.mark, row_ids=row_ids))
    async with Relay(database, client, interval=0.01):
        assert await arrivals(client, 3) == ["a", "b", "restored"]


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


async def test_a_clock_that_was_ahead(database: Database, client: Client) -> None:
    """Numbers go on from where the server is, not from where the clock is."""
    await write(database, "a")
    batch = await begun(database)
    async with sending(client) as sender:
        await sender.send(batch._replace(number=batch.number + 3_600_000, mark="1", rows=[]))
    async with Relay(database, client, interval=0.01, lease=0.1):
        assert await arrivals(client, 1) == ["a"]


async def test_ids_of_rows_are_not_used_again(database: Database, client: Client) -> None:
    """A batch that was sent is not taken for a row that came after somebody had removed its own."""
    await write(database, "a")
    async with sending(client) as sender:
        await sender.send(await begun(database))
    async with database.writing() as session:
        await session.execute(delete(OutboxRow))
    await write(database, "b")
    await let_go(database)
    await Relay(database, client).drain()
    assert await added(client) == ["a", "b"]


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


async def test_drain_moves_all_but_what_is_in_trouble(database: Database, client: Client) -> None:
    """And says what that was; while the relay runs there is nothing to drain."""
    await client.server.call("SET", client.server.keys("mail").key("meta"), "damaged")
    async with database.writing() as session:
        await MailTasks.purge.enqueue(outbox(session), None)
        await OtherTasks.count.enqueue(outbox(session), 1, job_id="others")
    with pytest.raises(QueueDamaged):
        await Relay(database, client).drain()
    assert await added(client, "other") == ["others"]
    async with Relay(database, client) as relay:
        with pytest.raises(RuntimeError, match="does not run"):
            await relay.drain()
        await until(lambda: relay.troubles)
        assert relay.troubles[0].startswith("queue 'mail': ")


async def test_tables_that_were_emptied(database: Database, client: Client) -> None:
    """As suites of tests do: the outbox gets a new name, and goes on."""
    async with database.writing() as session:
        await session.execute(delete(OutboxRelayRow))
    await write(database, "a")
    assert await Relay(database, client).drain() == 1


async def test_a_turn_that_never_ends(database: Database, client: Client) -> None:
    """Of a relay whose clock was an hour ahead, and that has died: nobody waits for an hour."""
    await write(database, "a")
    await begun(database, lease=3600)
    assert await Relay(database, client, lease=10).drain() == 1


async def test_a_relay_is_used_again(database: Database, client: Client) -> None:
    """A block may be entered once more."""
    relay = Relay(database, client, interval=0.01)
    for number, job_id in enumerate("ab", start=1):
        await write(database, job_id)
        async with relay:
            assert len(await arrivals(client, number)) == number


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


async def test_many_relays_together(database: Database, client: Client) -> None:
    """They take turns: each job is moved once, and in order."""
    ids = [f"j{number:04}" for number in range(1_100)]
    await write(database, *ids)
    relays = [Relay(database, client, interval=0.01) for _ in range(3)]
    moved = await asyncio.gather(*(relay.drain() for relay in relays))
    assert sum(moved) == len(ids)
    assert await added(client) == ids


async def test_another_takes_over(database: Database, client: Client) -> None:
    """From a relay that has died, when its time is over; from one that ends, as soon as it looks."""
    await write(database, "a")
    await begun(database, lease=0.3)
    async with Relay(database, client, interval=0.01, lease=0.3):
        assert await arrivals(client, 1) == ["a"]
        async with Relay(database, client, interval=0.01, lease=0.3):
            await write(database, "b")
            assert await arrivals(client, 2) == ["a", "b"]
    await write(database, "c")
    async with Relay(database, client, interval=0.01):
        assert await arrivals(client, 3) == ["a", "b", "c"]


async def test_a_queue_in_trouble_holds_up_no_other(
    database: Database, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rows stay, which is told once, and they are moved when it is over."""
    monkeypatch.setattr(relay_module, "LONGEST_PAUSE", 0.05)
    keys = client.server.keys("mail")
    await client.server.call("SET", keys.key("meta"), "damaged")
    async with database.writing() as session:
        await MailTasks.purge.enqueue(outbox(session), None, job_id="mine")
        await OtherTasks.count.enqueue(outbox(session), 1, job_id="others")
    with structlog.testing.capture_logs() as logs:
        async with Relay(database, client, interval=0.01):
            assert await arrivals(client, 1, "other") == ["others"]
            assert await rows(database) >= 1
            await client.server.call("DEL", keys.key("meta"))
            assert await arrivals(client, 1) == ["mine"]
    told = [(line["event"], line["queue"]) for line in logs if line["log_level"] != "debug"]
    assert told == [
        ("Outbox cannot be moved, trying until it can", "mail"),
        ("Outbox is moved again", "mail"),
    ]


async def test_a_server_that_is_away(
    database: Database, make_server: Callable[..., ServerProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows wait for it; `drain` says so."""
    monkeypatch.setattr(relay_module, "LONGEST_PAUSE", 0.05)
    server = make_server()
    async with Client(server.url, timeout=0.5) as client:
        await write(database, "a")
        server.kill9()
        with pytest.raises(ServerUnavailable):
            await Relay(database, client).drain()
        async with Relay(database, client, interval=0.01):
            await asyncio.to_thread(server.restart)
            assert await arrivals(client, 1) == ["a"]


async def test_a_database_that_is_not_ready(
    database_url: str, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The relay waits for its tables, and tells of it once."""
    monkeypatch.setattr(relay_module, "LONGEST_PAUSE", 0.05)
    with structlog.testing.capture_logs() as logs:
        async with Database(database_url) as database, Relay(database, client, interval=0.01) as relay:
            await until(lambda: relay.troubles)
            await database.migrate()
            await write(database, "a")
            assert await arrivals(client, 1) == ["a"]
    assert len([line for line in logs if line["event"].startswith("Outbox cannot be moved")]) == 1


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


async def scanned(client: Client, pattern: str) -> AsyncIterator[bytes]:
    """The keys of a small server."""
    _, keys = await client.server.call("SCAN", 0, "MATCH", pattern, "COUNT", 1000)
    for key in keys:
        yield key


async def test_large_payloads_go_in_several_calls(database: Database, client: Client) -> None:
    """What one call carries is bounded; a payload that is larger alone goes alone."""
    async with database.writing() as session:
        for number in range(5):
            await MailTasks.digest.enqueue(outbox(session), Digest(to="x" * 900_000), job_id=f"j{number}")
    batches = OutboxBatches(database, lease=10)
    turn = await batches.advance()
    sizes = []
    while turn.batch is not None:
        sizes.append(len(turn.batch.rows))
        turn = await batches.advance([turn.batch])
    assert sizes == [2, 2, 1]
