"""The signing keys of subscriptions to webhooks: those in force, and how one takes the place of another."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from corral.errors import SubscriptionGone, TooManyKeys
from corral.store.database import Database
from corral.store.tables import WebhookKeyRow as Row
from corral.store.tables import WebhookSubscriptionRow
from corral.store.texts import storable

__all__ = ["WebhookKeys"]

AT_ONCE: Final = 500
MOST: Final = 10
"""Keys of a subscription that are in force at once: each adds a signature to a header."""


def _now() -> datetime:
    return datetime.now(UTC)


class WebhookKeys:
    """Keeps keys as they are, since deliveries are signed with them: guard the database. One whose time is over is not
    used, and removed when somebody next looks.

    Every verb raises `DatabaseUnavailable` or `DatabaseOutdated`, those that name a subscription `SubscriptionGone`.
    """

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = _now) -> None:
        self._database = database
        self._clock = clock

    async def of(self, subscription_id: str) -> Sequence[str]:
        """The texts of a subscription's keys, the newest first."""
        mine = Row.subscription_id == subscription_id
        async with self._database.reading() as session:
            rows = await _rows(session, mine) if storable(subscription_id) else ()
            if not rows:
                await _found(session, subscription_id)
        now = self._clock()
        kept = [row.text for row in rows if row.until is None or row.until > now]
        if len(kept) < len(rows):
            async with self._database.writing() as session:
                await session.execute(delete(Row).where(mine, Row.until <= now))
        return kept

    async def rotate(self, subscription_id: str, key: str, *, overlap: timedelta) -> None:
        """Let this be the newest key. Those before it stay in force for this time, if not for less. Raises
        `TooManyKeys`."""
        now = self._clock()
        until = now + overlap
        async with self._database.writing() as session:
            await _found(session, subscription_id, lock=True)
            before = await _rows(session, Row.subscription_id == subscription_id)
            for row in before:
                row.until = until if row.until is None else min(row.until, until)
            if sum(row.until is not None and row.until > now for row in before) >= MOST:
                raise TooManyKeys(subscription_id, MOST)
            session.add(Row(subscription_id=subscription_id, text=key))

    async def newest(self) -> tuple[int, str] | None:
        """The number and the text of the key that was made last, for whatever subscription."""
        async with self._database.reading() as session:
            row = await session.scalar(select(Row).order_by(Row.id.desc()).limit(1))
            # The text too: SQLite gives the numbers of rows that are gone again.
            return None if row is None else (row.id, row.text)

    async def in_force(self) -> AsyncIterator[str]:
        """The texts of the keys of all subscriptions."""
        last = 0
        while rows := await self._page(Row.id > last, or_(Row.until.is_(None), Row.until > self._clock())):
            for row in rows:
                yield row.text
            last = rows[-1].id

    async def _page(self, *rules: ColumnElement[bool]) -> Sequence[Row]:
        async with self._database.reading() as session:
            return (await session.scalars(select(Row).where(*rules).order_by(Row.id).limit(AT_ONCE))).all()


async def _rows(session: AsyncSession, rule: ColumnElement[bool]) -> Sequence[Row]:
    """The newest first."""
    return (await session.scalars(select(Row).where(rule).order_by(Row.id.desc()))).all()


async def _found(session: AsyncSession, subscription_id: str, *, lock: bool = False) -> None:
    """Raise `SubscriptionGone` for a subscription that is not there."""
    if storable(subscription_id):
        found = await session.get(WebhookSubscriptionRow, subscription_id, with_for_update=lock)
        if found is not None:
            return
    raise SubscriptionGone(subscription_id)
