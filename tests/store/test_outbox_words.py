"""The words of a row: what no job can be made of is found before the call, and told by the row's id."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select, text

from corral import Client, Deduplication, OutboxDamaged
from corral.store.database import Database
from corral.store.outbox import outbox
from corral.store.relay import Relay
from corral.store.tables import OutboxRow
from tests.store.outboxes import OtherTasks, added
from tests.store.tasks import MailTasks

RULE = {"id": "d", "ttl": 0, "extend": False, "replace": False, "keep": False, "supersedes": False}

ANYWHERE = [
    ("deduplication", "{broken"),
    ("deduplication", "[]"),
    ("deduplication", "[" * 100_000),
    ("deduplication", json.dumps({"id": "d"})),
    ("deduplication", json.dumps(RULE | {"id": None})),
    ("deduplication", json.dumps(RULE | {"ttl": "x"})),
    ("deduplication", json.dumps(RULE | {"ttl": 2**60})),
    ("deduplication", json.dumps(RULE | {"keep": 1})),
    ("flags", "x"),
    ("delay_ms", -1),
    ("delay_ms", 2**60),
    ("due_ms", 2**60),
    ("priority", -1),
    ("priority", 2**21),
    ("durability", "hope"),
]
ON_SQLITE = [
    ("name", b"x"),
    ("data", b"x"),
    ("delay_ms", "soon"),
    ("due_ms", "soon"),
    ("priority", 1.5),
    ("created_at", "once"),
]


@pytest.mark.parametrize(("column", "value"), ANYWHERE + ON_SQLITE)
async def test_a_row_that_was_changed_by_hand(
    database: Database, client: Client, column: str, value: object
) -> None:
    """Nothing of its batch is added; its queue waits for somebody to mend it, the others go on."""
    if (column, value) in ON_SQLITE and not database.address.startswith("sqlite"):
        pytest.skip("this database lets nobody write that")
    async with database.writing() as session:
        target = outbox(session)
        await MailTasks.purge.enqueue(target, None, job_id="first", priority=1)
        await MailTasks.purge.enqueue(target, None, job_id="second", deduplication=Deduplication("d"))
        await OtherTasks.count.enqueue(target, 1, job_id="other")
    async with database.writing() as session:
        row_id = await session.scalar(select(OutboxRow.id).where(OutboxRow.job_id == "second"))
        await session.execute(
            text(f"UPDATE corral_outbox SET {column} = :value WHERE id = {row_id}"), {"value": value}
        )
    relay = Relay(database, client)
    for _ in range(2):
        with pytest.raises(
            OutboxDamaged, match=rf"row with id {row_id} in corral_outbox .*{column}"
        ) as raised:
            await relay.drain()
        assert (raised.value.queue, raised.value.table) == ("mail", "corral_outbox")
    assert await added(client) == []
    assert await added(client, "other") == ["other"]
