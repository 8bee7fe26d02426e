"""The operator log: who did what, and what came of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement

from corral.contracts.duration import Duration, instant, instant_ms, milliseconds
from corral.store.database import Database
from corral.store.newest_first import newest_first
from corral.store.removal import AT_ONCE, remove_all, remove_some
from corral.store.roles import Role
from corral.store.tables import OperatorLogRow
from corral.store.texts import legible, storable

__all__ = ["DONE", "LONGEST_TARGET", "LogEntry", "LogPage", "OperatorLog"]

DONE: Final = "done"
LONGEST_TARGET: Final = 1000
MOST_DETAIL_BYTES: Final = 64 * 1024
TRIMMED_EVERY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One entry of the operator log."""

    id: int
    at: datetime
    """UTC."""
    actor: str
    role: Role | None
    action: str
    target: str
    detail: Any
    outcome: str


@dataclass(frozen=True, slots=True)
class LogPage:
    """Entries, the newest first. ``before``: what to ask for next; None at the end."""

    entries: Sequence[LogEntry]
    before: int | None


def _now() -> datetime:
    return datetime.now(UTC)


class OperatorLog:
    """The log of what operators changed. Entries are added and read; they are never changed, and go only by age.

    Every verb raises `DatabaseUnavailable` or `DatabaseOutdated`.

    Args:
        keep: how long entries are kept (seconds, or a `timedelta`): once a day who writes one removes older ones, a
            thousand with each entry until there are none. None: for ever.
    """

    def __init__(
        self, database: Database, *, keep: Duration | None = None, clock: Callable[[], datetime] = _now
    ) -> None:
        self._database = database
        self._keep_ms = None if keep is None else milliseconds("keep", keep)
        self._clock = clock
        self._trim_at = clock()

    async def write(
        self,
        actor: str,
        action: str,
        target: str,
        detail: Any = None,
        *,
        role: Role | None = None,
        outcome: str = DONE,
    ) -> int:
        """Add an entry; its id. Any text is taken: what a database cannot hold is written as an escape, what is too
        long is cut.

        Args:
            actor: who: the name of a token or user (200 characters).
            action: what, as the program calls it: `job.retry` (100 characters).
            target: to what: `queue email, job 7` (1,000 characters).
            detail: any JSON value, without secrets: the caller leaves them out. More than 64 KiB is left out.
            outcome: `done`, or why not (100 characters).
        """
        row = OperatorLogRow(
            at=self._clock(),
            actor=legible(actor, 200),
            role=role,
            action=legible(action, 100),
            target=legible(target, LONGEST_TARGET),
            detail=_bounded(detail),
            outcome=legible(outcome, 100),
        )
        async with self._database.writing() as session:
            session.add(row)
            await session.flush()
            if self._keep_ms is not None and row.at >= self._trim_at:
                rule = OperatorLogRow.at < self._oldest(self._keep_ms)
                removed = await remove_some(session, OperatorLogRow.at, rule, at_once=AT_ONCE)
                if removed < AT_ONCE:
                    self._trim_at = row.at + TRIMMED_EVERY
            return row.id

    async def page(
        self,
        before: int | None = None,
        limit: int = 50,
        *,
        actor: str | None = None,
        action: str | None = None,
        target: str | None = None,
        outcome: str | None = None,
    ) -> LogPage:
        """A page of entries, at most 500, the newest first.

        Args:
            before: only entries older than the one with this id: the page's `before` gives the next page.
            actor, action, outcome: only entries with exactly this.
            target: only entries whose target holds this text.
        """
        wanted: dict[Any, str | None] = {
            OperatorLogRow.actor: actor,
            OperatorLogRow.action: action,
            OperatorLogRow.outcome: outcome,
        }
        given = [text for text in (*wanted.values(), target) if text is not None]
        if not all(map(storable, given)):
            return LogPage([], None)
        rules: list[ColumnElement[bool]] = [
            column == text for column, text in wanted.items() if text is not None
        ]
        if target is not None:
            rules.append(OperatorLogRow.target.contains(target, autoescape=True))
        rows, following = await newest_first(
            self._database, OperatorLogRow, *rules, before=before, limit=limit
        )
        return LogPage([_entry(row) for row in rows], following)

    async def remove_older(self, than: Duration) -> int:
        """Remove entries of more than this age (seconds, or a `timedelta`), a thousand in one step; how many."""
        rule = OperatorLogRow.at < self._oldest(milliseconds("than", than))
        return await remove_all(self._database, OperatorLogRow.at, rule, at_once=AT_ONCE)

    async def trim_daily(self) -> None:
        """Remove what is older than `keep`, now and once a day, until cancelled: for a program in which perhaps nobody
        writes. Does nothing where all is kept."""
        while True:
            if self._keep_ms is not None:
                await self.remove_older(timedelta(milliseconds=self._keep_ms))
            await asyncio.sleep(TRIMMED_EVERY.total_seconds())

    def _oldest(self, age_ms: int) -> datetime:
        return instant(max(0, instant_ms("clock", self._clock()) - age_ms))


def _bounded(detail: Any) -> Any:
    try:
        size = len(json.dumps(detail, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        return {"leftOut": f"it is not JSON: {error}"[:200]}
    return detail if size <= MOST_DETAIL_BYTES else {"leftOut": f"{size:,} bytes of JSON"}


def _entry(row: OperatorLogRow) -> LogEntry:
    return LogEntry(
        id=row.id,
        at=row.at,
        actor=row.actor,
        role=Role(row.role) if row.role in list(Role) else None,
        action=row.action,
        target=row.target,
        detail=row.detail,
        outcome=row.outcome,
    )
