"""Cleanup: what is old goes, step by step, with progress; a run that was cut off is gone on with by the next.

::

    tables = {"sessions": Old(Session.expires_at), "logs": Old(LogLine.at)}
    Worker(Cleaner(database, tables=tables).tasks())
    await CleanupTasks.old_logs.enqueue(client, Age(days=30), repeat=Cron("0 4 * * *"))
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import lt
from typing import Any, Final

from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, DateTime
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapper, QueryableAttribute

from corral import Admin, Context, Task, TaskSet, Unrecoverable, task
from corral.errors import CorralError, InvalidOption
from corral.store.database import Database
from corral.store.removal import remove_all
from corral.store.tables import AuditRow, OperatorLogRow, WebhookEventRow
from corral.store.webhook_events import WebhookEvents

__all__ = [
    "Age",
    "Cleaner",
    "CleanupTasks",
    "Latest",
    "Old",
    "OldRows",
    "Orphans",
    "Removed",
    "StillReferenced",
]


class Age(BaseModel):
    """How old is old."""

    days: float = Field(ge=0, le=36_500)


class OldRows(Age):
    """Of which table, by the name under which it was registered."""

    table: str


class Latest(BaseModel):
    """How many of each stay."""

    count: int = Field(ge=1)


class Orphans(BaseModel):
    """Of which queue."""

    queue: str


class Removed(BaseModel):
    """How many went in this run."""

    count: int


class CleanupTasks(TaskSet, queue="cleanup", attempts=5, singleton=True):
    """What a product has to throw away. One job of each task at a time, of `rows` for each table."""

    expired_sessions: Task[None, Removed] = task("cleanup.expiredSessions")
    old_logs: Task[Age, Removed] = task("cleanup.oldLogs")
    rows: Task[OldRows, Removed] = task("cleanup.rows", singleton="table")
    webhook_events: Task[Latest, Removed] = task("cleanup.webhookEvents")
    orphaned_jobs: Task[Orphans, Removed] = task("cleanup.orphanedJobs", singleton="queue")


NO_TABLE: Final = "give a column of a class that is mapped to one table, as in Old(Session.expires_at)"


class StillReferenced(Unrecoverable):
    """Rows of ``table`` are old, and rows of another table, or a rule of the database, keep them. Those that could go
    before them have gone."""

    def __init__(self, table: str, reason: str) -> None:
        self.table = table
        super().__init__(
            f"old rows of {table!r} cannot go, since others refer to them ({reason}): give the foreign key an "
            "ON DELETE, or clean the table that it stands in first"
        )


@dataclass(frozen=True, slots=True)
class Old:
    """A table of which old rows go: the column of its mapped class that says since when a row is old. It has an index
    where the table is large, and is in UTC where it has no zone. Raises `InvalidOption` for one that has no times, and
    for one of no mapped class: that knows the key by which rows are removed, be it of several columns."""

    time: QueryableAttribute[datetime]

    def __post_init__(self) -> None:
        """Databases compare numbers and texts with times, too, and find all of them older."""
        kind = getattr(self.time, "type", None)
        kind = getattr(kind, "impl_instance", kind)  # of a TypeDecorator: what it is built upon
        if not isinstance(kind, DateTime):
            raise InvalidOption("time", str(self.time), "give a column of the type DateTime")
        mapper = getattr(self.time, "parent", None)
        if not isinstance(mapper, Mapper) or list(mapper.tables) != [mapper.local_table]:
            raise InvalidOption("time", str(self.time), NO_TABLE)

    def before(self, moment: datetime) -> ColumnElement[bool]:
        """The rule for rows that were old at a moment in UTC."""
        column: Any = self.time
        has_zone = getattr(column.type, "timezone", False)
        rule: ColumnElement[bool] = lt(column, moment if has_zone else moment.replace(tzinfo=None))
        return rule


OURS: Mapping[str, Old] = {
    "corral_audit_log": Old(AuditRow.at),
    "corral_operator_log": Old(OperatorLogRow.at),
    "corral_webhook_events": Old(WebhookEventRow.at),
}


class Cleaner:
    """Throws away. A thousand rows go in each step, which is a transaction of its own: nobody waits for it, and what is
    gone stays gone when the worker dies.

    Args:
        database: of the tables: that of your application.
        tables: yours, by the names that jobs use: ``sessions`` (by the time when they expire) and ``logs`` for the two
            tasks that have names of their own. Corral's own tables are known by their names.
        admin: for orphaned jobs; None: these cannot be looked for.
    """

    def __init__(
        self, database: Database, *, tables: Mapping[str, Old] | None = None, admin: Admin | None = None
    ) -> None:
        self._database = database
        self._tables = {**OURS, **(tables or {})}
        self._admin = admin

    def tasks(self) -> CleanupTasks:
        """The task set with its handlers, for a worker."""
        return CleanupTasks(
            expired_sessions=self.expired_sessions,
            old_logs=self.old_logs,
            rows=self.rows,
            webhook_events=self.webhook_events,
            orphaned_jobs=self.orphaned_jobs,
        )

    async def expired_sessions(self, _: None, ctx: Context) -> Removed:
        """Remove the rows of ``sessions`` whose time has come."""
        return await self._remove("sessions", timedelta(0), ctx)

    async def old_logs(self, age: Age, ctx: Context) -> Removed:
        """Remove the rows of ``logs`` that are older."""
        return await self._remove("logs", timedelta(days=age.days), ctx)

    async def rows(self, rows: OldRows, ctx: Context) -> Removed:
        """Remove the rows of any registered table that are older."""
        return await self._remove(rows.table, timedelta(days=rows.days), ctx)

    async def webhook_events(self, latest: Latest, ctx: Context) -> Removed:
        """Remove all attempts to deliver webhooks but the latest of each subscription."""
        events, removed = WebhookEvents(self._database), 0

        async def tell(more: int) -> None:
            await ctx.progress({"removed": removed + more})

        async for subscription_id in events.subscription_ids():
            removed += await events.keep_latest(subscription_id, latest.count, on_progress=tell)
        return Removed(count=removed)

    async def orphaned_jobs(self, orphans: Orphans, ctx: Context) -> Removed:
        """Remove the jobs of a queue that are in no state."""
        if self._admin is None:
            raise Unrecoverable("give the Cleaner an admin: Cleaner(…, admin=Admin())")
        telling: asyncio.Future[None] | None = None

        async def say(examined: int, of: int) -> None:
            with suppress(CorralError):  # the last word, below, raises what is wrong
                await ctx.progress({"examined": examined, "of": of})

        def tell(examined: int, of: int) -> None:
            nonlocal telling
            if telling is None or telling.done():  # what comes faster than it can be said is left out
                telling = asyncio.ensure_future(say(examined, of))

        try:
            removed = await self._admin.queue(orphans.queue).remove_orphans(on_progress=tell)
        finally:
            if telling is not None:
                await telling
        await ctx.progress({"removed": removed})
        return Removed(count=removed)

    async def _remove(self, table: str, age: timedelta, ctx: Context) -> Removed:
        old = self._tables.get(table)
        if old is None:
            raise Unrecoverable(
                f"no table is registered as {table!r}; there are: {', '.join(sorted(self._tables))}. "
                f"Give it to the worker's Cleaner: Cleaner(database, tables={{{table!r}: Old(…)}})"
            )

        async def tell(removed: int) -> None:
            await ctx.progress({"removed": removed})

        rule = old.before(datetime.now(UTC) - age)
        column: Any = old.time  # a type checker reads a time from it, as from a row
        try:
            return Removed(count=await remove_all(self._database, column, rule, on_progress=tell))
        except IntegrityError as error:
            # The driver's own words, without a class.
            said = getattr(error.orig, "__cause__", None) or error.orig
            raise StillReferenced(table, str(said).partition("\n")[0]) from None
