"""Pages of a log: the newest rows first, from where a page before ended."""

from __future__ import annotations

from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, select

from corral.contracts.arguments import whole
from corral.store.database import Database
from corral.store.tables import Row

__all__ = ["newest_first"]

MOST_LISTED: Final = 500

LogRow = TypeVar("LogRow", bound=Row)


async def newest_first(
    database: Database, table: type[LogRow], *rules: ColumnElement[bool], before: int | None, limit: int
) -> tuple[list[LogRow], int | None]:
    """At most 500 rows with ids before ``before``, and what to ask for next; None at the end."""
    key: Any = table.__table__.c.id
    count = max(1, min(whole("limit", limit), MOST_LISTED))
    query = select(table).where(*rules).order_by(key.desc()).limit(count + 1)
    if before is not None:
        query = query.where(key < whole("before", before))
    async with database.reading() as session:
        rows = list(await session.scalars(query))
    shown = rows[:count]
    return shown, getattr(shown[-1], "id", None) if len(rows) > count else None
