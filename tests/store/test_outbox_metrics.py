"""How far the relays are behind, for Prometheus."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from corral.store.database import Database
from corral.store.outbox import outbox
from corral.store.outbox_metrics import outbox_metrics
from corral.store.tables import OutboxRow
from tests.instrumentation.scraped import Scraped
from tests.store.tasks import MailTasks


async def test_the_lag_is_the_age_of_the_oldest(database: Database) -> None:
    """Zero where nothing waits."""
    assert Scraped(await outbox_metrics(database)).value("corral_outbox_lag_seconds") == 0
    async with database.writing() as session:
        await MailTasks.purge.enqueue(outbox(session), None)
    async with database.writing() as session:
        (row,) = (await session.scalars(select(OutboxRow))).all()
        row.created_at -= timedelta(minutes=10)
    lag = Scraped(await outbox_metrics(database)).value("corral_outbox_lag_seconds")
    assert lag is not None
    assert 600 <= lag < 660


async def test_nothing_is_said_without_a_database(database_url: str) -> None:
    """Its tables are not there yet: no number is better than a wrong one."""
    async with Database(database_url) as empty:
        assert await outbox_metrics(empty) == b""
