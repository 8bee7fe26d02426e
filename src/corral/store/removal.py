"""Removing old rows in steps: each its own short transaction, so that nobody waits for it and nothing is begun anew."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import QueryableAttribute

from corral.store.database import Database

__all__ = ["AT_ONCE", "remove_all", "remove_some"]

AT_ONCE: Final = 1000


async def remove_some(
    session: AsyncSession, key: QueryableAttribute[Any], *rules: ColumnElement[bool], at_once: int = AT_ONCE
) -> int:
    """Remove some of the rows for which the rules hold; how many. Others that remove at the same time take other ones.

    Args:
        key: the primary key's column.
    """
    ids = select(key).where(*rules).order_by(key).limit(at_once).with_for_update(skip_locked=True)
    gone = delete(cast("type[Any]", key.class_)).where(key.in_(ids)).returning(key)
    return len((await session.scalars(gone)).all())


async def remove_all(
    database: Database,
    key: QueryableAttribute[Any],
    *rules: ColumnElement[bool],
    at_once: int = AT_ONCE,
    on_progress: Callable[[int], Awaitable[object]] | None = None,
) -> int:
    """Remove all of them, step by step; how many. ``on_progress`` is told how many after each step."""
    removed = 0
    while True:
        async with database.writing() as session:
            count = await remove_some(session, key, *rules, at_once=at_once)
        removed += count
        if on_progress is not None:
            await on_progress(removed)
        if count < at_once:
            return removed
