"""The database's side of a relay: what is in a batch, and whose turn it is."""

from __future__ import annotations

import asyncio
import json

import pytest
from sqlalchemy import delete, func, select, text, update

from corral import Client, OutboxDamaged
from corral.store import outbox_batches
from corral.store.database import Database
from corral.store.outbox import outbox
from corral.store.outbox_batches import OutboxBatches
from corral.store.relay import Relay
from corral.store.tables import OutboxBatchRow, OutboxRelayRow, OutboxRow
from tests.store.outboxes import (
    OtherTasks,
    added,
    begun,
    let_go,
    rows,
    sending,
    write,
)
from tests.store.tasks import Digest, MailTasks


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


async def test_tables_that_were_emptied(database: Database, client: Client) -> None:
    """As suites of tests do: the outbox gets a new name, and goes on."""
    async with database.writing() as session:
        await session.execute(delete(OutboxRelayRow))
    await write(database, "a")
    assert await Relay(database, client).drain() == 1


async def test_tables_that_were_emptied_under_several_relays(database: Database) -> None:
    """They agree on one new name, and on whose turn it is."""
    await write(database, "a")
    async with database.writing() as session:
        await session.execute(delete(OutboxRelayRow))
    turns = await asyncio.gather(*(OutboxBatches(database, lease=10).advance() for _ in range(3)))
    assert sorted(turn.ours for turn in turns) == [False, False, True]
    async with database.reading() as session:
        (name,) = await session.scalars(select(OutboxRelayRow.name))
    assert [turn.batch.outbox for turn in turns if turn.batch] == [name]


async def test_a_batch_keeps_its_sender(database: Database, client: Client) -> None:
    """Also when the outbox has got another name in between: the server knows the repeat."""
    await write(database, "a")
    batch = await begun(database)
    async with sending(client) as sender:
        await sender.send(batch)
    await client.server.call("DEL", client.server.keys("mail").job("a"))
    async with database.writing() as session:
        await session.execute(delete(OutboxRelayRow))
    assert await Relay(database, client).drain() == 1
    assert await added(client) == ["a"]


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("row_ids", '"oops"', "row_ids"),
        ("row_ids", '["a"]', "row_ids"),
        ("row_ids", json.dumps(list(range(501))), "row_ids"),
        ("row_ids", json.dumps([2**64]), "row_ids"),
        ("row_ids", "{", "row_ids"),
        ("number", "oops", "number"),
        ("mark", "x", "mark"),
    ],
)
async def test_a_batch_that_was_changed_by_hand(
    database: Database, client: Client, column: str, value: str, reason: str
) -> None:
    """Nobody can say what was sent of it: its queue waits for somebody to mend it, the others go on."""
    if (value in ("{", "oops")) and not database.address.startswith("sqlite"):
        pytest.skip("this database lets nobody write that")
    await write(database, "a")
    await begun(database)
    await let_go(database)
    async with database.writing() as session:
        await session.execute(text(f"UPDATE corral_outbox_batches SET {column} = '{value}'"))
        await OtherTasks.count.enqueue(outbox(session), 1, job_id="other")
    with pytest.raises(OutboxDamaged, match=f"of queue 'mail' in corral_outbox_batches .*its {reason}"):
        await Relay(database, client).drain()
    assert await added(client) == []
    assert await added(client, "other") == ["other"]
    assert await rows(database) == 1


async def test_rows_of_another_queue(database: Database, client: Client) -> None:
    """A batch that lists them does neither send them to its own, nor remove them."""
    await write(database, "a")
    await begun(database)
    await let_go(database)
    async with database.writing() as session:
        await OtherTasks.count.enqueue(outbox(session), 1, job_id="other")
    async with database.writing() as session:
        ids = list(await session.scalars(select(OutboxRow.id)))
        await session.execute(update(OutboxBatchRow).values(row_ids=ids))
    assert await Relay(database, client).drain() == 2
    assert await added(client) == ["a"]
    assert await added(client, "other") == ["other"]


@pytest.mark.parametrize(("table", "column"), [("corral_outbox", "size"), ("corral_outbox_relay", "number")])
async def test_what_is_no_number_stops_nothing(
    database: Database, client: Client, table: str, column: str
) -> None:
    """Where another will do: the clock's, or that of a large payload."""
    if not database.address.startswith("sqlite"):
        pytest.skip("this database lets nobody write that")
    await write(database, "a", "b")
    async with database.writing() as session:
        await session.execute(text(f"UPDATE {table} SET {column} = 'oops'"))
    assert await Relay(database, client).drain() == 2


@pytest.mark.parametrize("head", [1, 1000])
async def test_the_oldest_goes_first(database: Database, head: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the queues that are not left out, wherever its row is in the line."""
    monkeypatch.setattr(outbox_batches, "HEAD", head)
    await write(database, "a", "b")
    async with database.writing() as session:
        await OtherTasks.count.enqueue(outbox(session), 1)
    batches = OutboxBatches(database, lease=10)
    for leaving_out, expected in (((), "mail"), (("mail",), "other"), (("mail", "other"), None)):
        assert await batches.is_empty(leaving_out=leaving_out) is (expected is None)
        batch = (await batches.advance(leaving_out=leaving_out)).batch
        assert (batch and batch.queue) == expected


async def test_no_payload_is_read_before_it_is_sent(database: Database, client: Client) -> None:
    """How large it is stands beside it, in characters: a long line of large ones costs the first of them nothing."""
    async with database.writing() as session:
        await MailTasks.digest.enqueue(outbox(session), Digest(to="x" * 100), job_id="large")
        await session.flush()
        assert await session.scalar(select(OutboxRow.size == func.length(OutboxRow.data)))
        await session.execute(update(OutboxRow).values(size=3_000_000))
        await MailTasks.purge.enqueue(outbox(session), None, job_id="small")
    assert [row.job_id for row in (await begun(database)).rows] == ["large"]


async def test_a_turn_that_never_ends(database: Database, client: Client) -> None:
    """Of a relay whose clock was an hour ahead, and that has died: nobody waits for an hour."""
    await write(database, "a")
    await begun(database, lease=3600)
    assert await Relay(database, client, lease=10).drain() == 1


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
