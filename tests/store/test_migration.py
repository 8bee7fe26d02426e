"""Migrations: models and migrations agree, and any number of processes may migrate at once."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import JSON, DateTime, bindparam, inspect, text
from sqlalchemy.engine import Connection

from corral.store.database import Database
from corral.store.migration import VERSION_TABLE, downgrade, upgrade
from corral.store.tables import Row
from corral.store.webhook_keys import WebhookKeys

MIGRATE = """
import asyncio, sys
from corral.store.database import Database

async def main():
    async with Database(sys.argv[1]) as database:
        sys.stdin.readline()
        await database.migrate()

print("ready", flush=True)
asyncio.run(main())
"""


def differences(connection: Connection) -> list[object]:
    """Where the tables are not what the models say."""
    context = MigrationContext.configure(
        connection,
        opts={"compare_type": True, "compare_server_default": True, "version_table": VERSION_TABLE},
    )
    return list(compare_metadata(context, Row.metadata))


def tables(connection: Connection) -> set[str]:
    """The names of the tables that are there."""
    return set(inspect(connection).get_table_names())


async def test_models_and_migrations_agree(database: Database) -> None:
    """After all migrations, Alembic finds nothing that the models have and the tables have not, or otherwise."""
    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_there_and_back_and_there(database_url: str) -> None:
    """Up, down to nothing, and up again: down leaves no table but the version's."""
    async with Database(database_url) as database:
        async with database.engine.begin() as connection:
            await connection.run_sync(upgrade)
            assert await connection.run_sync(differences) == []
            await connection.run_sync(downgrade, "base")
            assert await connection.run_sync(tables) == {VERSION_TABLE}
            await connection.run_sync(upgrade)
        async with database.engine.connect() as connection:
            assert await connection.run_sync(differences) == []


async def test_keys_of_subscriptions_move(database_url: str) -> None:
    """Keys that stood in a column of the subscription are in a table of their own, in their order, and back: but
    for those whose time is over, which must not sign again."""
    make = text(
        "INSERT INTO corral_webhook_subscriptions"
        " (id, url, events, signing, keys, headers, enabled, created_at, updated_at)"
        " VALUES ('s', 'https://a.example/', '[]', 'standard', :keys, '{}', :yes, :now, :now)"
    ).bindparams(bindparam("keys", type_=JSON()), bindparam("now", type_=DateTime(timezone=True)))
    async with Database(database_url) as database:
        async with database.engine.begin() as connection:
            await connection.run_sync(upgrade, "0004")
            fields = {"keys": ["new", "old"], "yes": True, "now": datetime.now(UTC)}
            await connection.execute(make, fields)
            await connection.run_sync(upgrade)
        assert await WebhookKeys(database).of("s") == ["new", "old"]
        long_ago = WebhookKeys(database, clock=lambda: datetime.now(UTC) - timedelta(hours=1))
        await long_ago.rotate("s", "newest", overlap=timedelta(minutes=1))
        await WebhookKeys(database).rotate("s", "last", overlap=timedelta(hours=1))
        async with database.engine.begin() as connection:
            await connection.run_sync(downgrade, "0004")
            await connection.run_sync(upgrade)
        assert await WebhookKeys(database).of("s") == ["last", "newest"]


async def test_migrating_again_changes_nothing(database: Database) -> None:
    """A migrated database may be migrated at every start."""
    await database.migrate()
    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_several_processes_migrate_at_once(database_url: str) -> None:
    """Four processes migrate an empty database in the same moment: each ends well, and the tables are there once."""
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", MIGRATE, database_url,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )
        for _ in range(4)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    results = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
    assert [process.returncode for process in processes] == [0] * 4, results
    async with Database(database_url) as database, database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []
