"""Removing old rows in steps: each its own short transaction, so that nobody waits for it and nothing is begun anew."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, delete, select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapper, QueryableAttribute

from corral.store.database import Database

__all__ = ["AT_ONCE", "remove_all", "remove_some"]

AT_ONCE: Final = 1000


async def remove_some(
    session: AsyncSession, by: QueryableAttribute[Any], *rules: ColumnElement[bool], at_once: int = AT_ONCE
) -> int:
    """Remove some of the rows for which the rules hold, those with the least of ``by`` first; how many. Others that
    remove at the same time take other ones.

    Args:
        by: the column that the rules are about. Its order is theirs, so that one index finds the next rows in each
            step, where the key's order would pass all others. The key of its table is found by itself.
    """
    model, mapper = cast("type[Any]", by.class_), cast("Mapper[Any]", by.parent)
    key = [getattr(model, mapper.get_property_by_column(column).key) for column in mapper.primary_key]
    oldest = select(*key).where(*rules).order_by(by).limit(at_once).with_for_update(skip_locked=True)
    # A CTE, since PostgreSQL may ask a subquery once for each row, and gets other rows each time. The rules once more,
    # for nothing goes that somebody has renewed meanwhile.
    chosen = select(*oldest.cte("oldest").c)
    gone = delete(model).where(tuple_(*key).in_(chosen), *rules).returning(key[0])
    unsynchronized = {"synchronize_session": False}
    return len((await session.scalars(gone, execution_options=unsynchronized)).all())


async def remove_all(
    database: Database,
    by: QueryableAttribute[Any],
    *rules: ColumnElement[bool],
    at_once: int = AT_ONCE,
    on_progress: Callable[[int], Awaitable[object]] | None = None,
) -> int:
    """Remove all of them, step by step; how many. ``on_progress`` is told how many after each step.

    Raises SQLAlchemy's `IntegrityError` for a row that the database keeps, after all that come before it have gone.
    """
    removed = 0
    while True:
        try:
            async with database.writing() as session:
                count = await remove_some(session, by, *rules, at_once=at_once)
        except IntegrityError:
            if at_once == 1:
                raise
            at_once //= 2  # one row of the step holds up all of it
            continue
        removed += count
        if on_progress is not None:
            await on_progress(removed)
        if count < at_once:
            return removed
