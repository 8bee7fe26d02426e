"""The database's side of a relay: what is in a batch, and whose turn it is."""

from __future__ import annotations

from sqlalchemy import delete

from corral import Client
from corral.store.database import Database
from corral.store.outbox import outbox
from corral.store.outbox_batches import OutboxBatches
from corral.store.relay import Relay
from corral.store.tables import OutboxRelayRow, OutboxRow
from tests.store.outboxes import (
    added,
    begun,
    let_go,
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
