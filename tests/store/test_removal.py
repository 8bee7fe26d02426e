"""Removing old rows in steps."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event

from corral.store.database import Database
from corral.store.operator_log import OperatorLog
from corral.store.removal import remove_all, remove_some
from corral.store.tables import OperatorLogRow as Row


@pytest.fixture
async def filled(database: Database) -> Database:
    """Ten rows of Ada's, two of Bob's."""
    log = OperatorLog(database)
    for actor in ["ada"] * 10 + ["bob"] * 2:
        await log.write(actor, "x", "y")
    return database


async def left(database: Database) -> list[str]:
    """Whose rows are left."""
    return [entry.actor for entry in (await OperatorLog(database).page()).entries]


async def test_a_step_is_bounded(filled: Database) -> None:
    """A step removes the oldest of what the rules say, and no more than it may."""
    async with filled.writing() as session:
        assert await remove_some(session, Row.at, Row.actor == "ada", at_once=4) == 4
    assert await left(filled) == ["bob"] * 2 + ["ada"] * 6


@pytest.mark.parametrize("at_once", [1, 3, 5, 10, 11])
async def test_all_of_them_go(filled: Database, at_once: int) -> None:
    """Whatever a step's size, all that the rules say go, and no other."""
    assert await remove_all(filled, Row.at, Row.actor == "ada", at_once=at_once) == 10
    assert await remove_all(filled, Row.at, Row.actor == "ada", at_once=at_once) == 0
    assert await left(filled) == ["bob"] * 2


async def test_an_index_on_the_time_finds_them(filled: Database) -> None:
    """The rows of a step are found by the index on what the rules are about, not by passing all in the key's order."""
    statements = list[str]()

    def keep(*told: Any) -> None:
        statements.append(told[2])

    event.listen(filled.engine.sync_engine, "before_cursor_execute", keep)
    await remove_all(filled, Row.at, Row.at < datetime(2000, 1, 1, tzinfo=UTC))
    (deleting,) = (text for text in statements if "DELETE FROM" in text)
    assert "ORDER BY corral_operator_log.at" in deleting
    assert deleting.count("at <") == 2, "the rules hold for what goes, too"


async def test_several_remove_together(filled: Database) -> None:
    """Whoever removes at the same time, each row goes once and nobody waits in a circle."""
    removed = await asyncio.gather(*(remove_all(filled, Row.at, at_once=3) for _ in range(4)))
    assert sum(removed) == 12
    assert not await left(filled)


async def test_what_is_gone_stays_gone(filled: Database) -> None:
    """Whoever is stopped between two steps leaves the rest to the next."""

    async def stop(_: int) -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await remove_all(filled, Row.at, at_once=5, on_progress=stop)
    assert len(await left(filled)) == 7
    assert await remove_all(filled, Row.at, at_once=5) == 7
