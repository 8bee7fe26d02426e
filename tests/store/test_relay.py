"""The relay: what was committed reaches the server once and in order, whatever ends, hangs or comes back in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
import structlog
from sqlalchemy import insert, select, update

from corral import (
    Admin,
    Client,
    DatabaseUnavailable,
    InvalidOption,
    OutboxTaken,
    QueueDamaged,
    ServerUnavailable,
)
from corral.store import outbox_troubles
from corral.store import relay as relay_module
from corral.store.database import Database
from corral.store.outbox import outbox, outbox_lag
from corral.store.outbox_batches import Batch, OutboxBatches, Turn
from corral.store.outbox_sender import OutboxSender
from corral.store.relay import Relay
from corral.store.tables import OutboxBatchRow, OutboxRelayRow, OutboxRow
from tests.servers import ServerProcess
from tests.store.outboxes import (
    OtherTasks,
    added,
    arrivals,
    begun,
    forget_job,
    let_go,
    rows,
    sending,
    until,
    write,
)
from tests.store.tasks import MailTasks


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
        batch = OutboxBatchRow(
            queue="mail", outbox=old.outbox, number=old.number, mark=old.mark, row_ids=row_ids
        )
        session.add(batch)
    async with Relay(database, client, interval=0.01):
        assert await arrivals(client, 3) == ["a", "b", "restored"]


async def test_a_clock_that_was_ahead(database: Database, client: Client) -> None:
    """Numbers go on from where the server is, not from where the clock is."""
    await write(database, "a")
    batch = await begun(database)
    async with sending(client) as sender:
        await sender.send(batch._replace(number=batch.number + 3_600_000, mark="1", rows=[]))
    async with Relay(database, client, interval=0.01, lease=0.1):
        assert await arrivals(client, 1) == ["a"]


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


async def test_a_relay_is_used_again(database: Database, client: Client) -> None:
    """A block may be entered once more."""
    relay = Relay(database, client, interval=0.01)
    for number, job_id in enumerate("ab", start=1):
        await write(database, job_id)
        async with relay:
            assert len(await arrivals(client, number)) == number


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
    monkeypatch.setattr(outbox_troubles, "LONGEST_PAUSE", 0.05)
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
    monkeypatch.setattr(outbox_troubles, "LONGEST_PAUSE", 0.05)
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
    monkeypatch.setattr(outbox_troubles, "LONGEST_PAUSE", 0.05)
    with structlog.testing.capture_logs() as logs:
        async with Database(database_url) as database, Relay(database, client, interval=0.01) as relay:
            await until(lambda: relay.troubles)
            await database.migrate()
            await write(database, "a")
            assert await arrivals(client, 1) == ["a"]
            await until(lambda: not relay.troubles)
    (told,) = [line for line in logs if line["event"].startswith("Outbox cannot be moved")]
    assert "queue" not in told  # it is about all of them
    assert "call `await database.migrate()` once" in told["reason"]


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), True, "1"])
async def test_settings_that_cannot_be(database: Database, client: Client, seconds: float) -> None:
    """They are refused when the relay is made."""
    for option in ("interval", "lease"):
        with pytest.raises(InvalidOption, match=option):
            Relay(database, client, **{option: seconds})


async def test_drain_beside_a_relay_that_works(database: Database, client: Client) -> None:
    """It waits no longer than a dead one would keep its turn, and says why rows still wait."""
    await client.server.call("SET", client.server.keys("mail").key("meta"), "damaged")
    await write(database, "a")
    async with Relay(database, client, interval=0.01, lease=0.3) as relay:
        await until(lambda: relay.troubles)
        with pytest.raises(OutboxTaken, match="another relay"):
            await Relay(database, client, interval=0.01, lease=0.3).drain()


@asynccontextmanager
async def hung(database_url: str) -> AsyncIterator[None]:
    """A database in which no relay gets any further."""
    async with Database(database_url) as other, other.writing() as session:
        await session.execute(select(OutboxRelayRow).with_for_update())
        yield


@pytest.mark.parametrize(
    "database_url", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)
async def test_a_database_that_hangs_holds_up_no_end(
    database: Database, database_url: str, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither that of a block nor that of `run`. SQLite's own patience, 15 seconds, is not cut short."""
    monkeypatch.setattr(relay_module, "PATIENCE", 0.05)
    monkeypatch.setattr(relay_module, "LEAVING", 0.05)
    await write(database, "a")
    await begun(database)
    await let_go(database)
    async with hung(database_url), asyncio.timeout(10):
        async with Relay(database, client):
            pass
        relay = Relay(database, client)
        running = asyncio.create_task(relay.run())
        await asyncio.sleep(0)
        relay.stop()
        await running


@pytest.fixture
def sends(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Sending takes for ever; set once it has begun."""
    begins = asyncio.Event()

    async def hang(_self: OutboxSender, _batch: Batch) -> None:
        begins.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(OutboxSender, "send", hang)
    return begins


async def test_a_batch_that_hangs_holds_up_no_end(
    database: Database, client: Client, monkeypatch: pytest.MonkeyPatch, sends: asyncio.Event
) -> None:
    """It is left to the next relay, which gets its turn at once."""
    monkeypatch.setattr(relay_module, "PATIENCE", 0.05)
    await write(database, "a")
    async with asyncio.timeout(20), Relay(database, client, interval=0.01):
        await sends.wait()
    assert (await begun(database)).rows[0].job_id == "a"


async def test_a_block_that_is_cancelled_leaves_nothing_behind(
    database: Database, client: Client, sends: asyncio.Event
) -> None:
    """While it waits for a batch, too: the relay has ended when the cancellation comes out."""
    await write(database, "a")
    before = asyncio.all_tasks()

    async def block() -> None:
        async with Relay(database, client, interval=0.01):
            await sends.wait()

    blocked = asyncio.create_task(block())
    await sends.wait()
    await asyncio.sleep(0)  # now the block waits for its relay
    await asyncio.sleep(0)
    blocked.cancel()
    await asyncio.wait({blocked}, timeout=relay_module.PATIENCE / 2)
    assert blocked.cancelled()
    assert asyncio.all_tasks() == before
    assert (await OutboxBatches(database, lease=10).advance()).ours


async def test_no_more_batches_than_may_be_under_way(
    database: Database, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often the lease is prolonged meanwhile; what had no room is sent when there is some."""
    monkeypatch.setattr(relay_module, "MOST_UNDER_WAY", 1)
    looks, sending_now, most = 0, 0, 0
    go = asyncio.Event()
    send, advance = OutboxSender.send, OutboxBatches.advance

    async def held(self: OutboxSender, batch: Batch) -> None:
        nonlocal sending_now, most
        sending_now += 1
        most = max(most, sending_now)
        await go.wait()
        await send(self, batch)
        sending_now -= 1

    async def counted(self: OutboxBatches, *args: Any, **options: Any) -> Turn:
        nonlocal looks
        looks += 1
        return await advance(self, *args, **options)

    monkeypatch.setattr(OutboxSender, "send", held)
    monkeypatch.setattr(OutboxBatches, "advance", counted)
    async with database.writing() as session:
        await MailTasks.purge.enqueue(outbox(session), None, job_id="a")
        await OtherTasks.count.enqueue(outbox(session), 1, job_id="b")
    async with Relay(database, client, interval=0.01, lease=0.03):
        await until(lambda: looks >= 5)
        go.set()
        assert (await arrivals(client, 1), await arrivals(client, 1, "other")) == (["a"], ["b"])
    assert most == 1


async def test_a_database_that_fails_in_part(
    database: Database, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking for rows fails, taking the turn does not: it is one trouble, told once, and not over in between."""
    monkeypatch.setattr(outbox_troubles, "LONGEST_PAUSE", 0.01)
    attempts = 0

    async def failing(_self: OutboxBatches, **_: object) -> bool:
        nonlocal attempts
        attempts += 1
        raise DatabaseUnavailable("sqlite:///x", "statement timeout")

    monkeypatch.setattr(OutboxBatches, "is_empty", failing)
    with structlog.testing.capture_logs() as logs:
        async with Relay(database, client) as relay:
            await until(lambda: attempts >= 5)
            assert len(relay.troubles) == 1
    assert len(logs) == 1
