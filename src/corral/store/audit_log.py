"""The audit log: what people and programs did in the product, for those who have to account for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement
from sqlalchemy.dialects import postgresql, sqlite

from corral.contracts.duration import Duration, milliseconds
from corral.store.database import Database
from corral.store.newest_first import newest_first
from corral.store.removal import remove_all
from corral.store.tables import AuditRow
from corral.store.texts import storable

__all__ = ["ActorType", "AuditEntry", "AuditLog", "AuditPage", "StoredAuditEntry"]


ActorType = Literal["user", "api_key", "system"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Who did what to what."""

    at: datetime
    """When it was done, with a zone."""
    org: str
    actor: str
    actor_type: ActorType
    action: str
    resource_type: str
    resource_id: str
    detail: Any
    """Any JSON value, without secrets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAuditEntry(AuditEntry):
    """An entry as it is kept."""

    id: int
    job: str
    """The job that brought it: its queue and its id."""


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Entries, the newest first. ``before``: what to ask for next; None at the end."""

    entries: Sequence[StoredAuditEntry]
    before: int | None


class AuditLog:
    """Entries are added and read. They are never changed, and go only by age.

    Every verb raises `DatabaseUnavailable` or `DatabaseOutdated`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, entry: AuditEntry, *, job: str) -> bool:
        """Keep an entry; False where the same job has brought the same one before: however often a job runs, there is
        one."""
        insert: Any = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[
            self._database.engine.dialect.name
        ]
        added = insert(AuditRow).values(job=job, **asdict(entry))
        once = added.on_conflict_do_nothing(index_elements=["job", "at"]).returning(AuditRow.id)
        async with self._database.writing() as session:
            made = await session.scalar(once)
        return made is not None

    async def page(
        self,
        org: str,
        *,
        before: int | None = None,
        limit: int = 50,
        actor: str | None = None,
        action: str | None = None,
        resource_type: str | None = None,
        resource_id: str | None = None,
    ) -> AuditPage:
        """A page of an organisation's entries, at most 500, the newest first.

        Args:
            before: only entries older than the one with this id: the page's `before` gives the next page.
            actor, action, resource_type, resource_id: only entries with exactly this.
        """
        wanted: dict[Any, str | None] = {
            AuditRow.org: org,
            AuditRow.actor: actor,
            AuditRow.action: action,
            AuditRow.resource_type: resource_type,
            AuditRow.resource_id: resource_id,
        }
        given = {column: text for column, text in wanted.items() if text is not None}
        if not all(map(storable, given.values())):
            return AuditPage([], None)
        rules: list[ColumnElement[bool]] = [column == text for column, text in given.items()]
        rows, following = await newest_first(self._database, AuditRow, *rules, before=before, limit=limit)
        return AuditPage([_entry(row) for row in rows], following)

    async def remove_older(self, than: Duration) -> int:
        """Remove entries of more than this age (seconds, or a `timedelta`), a thousand in one step; how many."""
        oldest = datetime.fromtimestamp(
            datetime.now(UTC).timestamp() - milliseconds("than", than) / 1000, UTC
        )
        return await remove_all(self._database, AuditRow.at, AuditRow.at < oldest)


def _entry(row: AuditRow) -> StoredAuditEntry:
    names = (
        "id",
        "job",
        "at",
        "org",
        "actor",
        "actor_type",
        "action",
        "resource_type",
        "resource_id",
        "detail",
    )
    return StoredAuditEntry(**{name: getattr(row, name) for name in names})
