"""Attempts to deliver webhooks: what was sent where, and what came of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import aliased

from corral.contracts.arguments import whole
from corral.contracts.duration import Duration, milliseconds
from corral.store.database import Database
from corral.store.newest_first import newest_first
from corral.store.removal import remove_all
from corral.store.tables import WebhookEventRow as Row
from corral.store.texts import legible

__all__ = ["EventRange", "StoredWebhookEvent", "WebhookEvent", "WebhookEventPage", "WebhookEvents"]

LONGEST_TEXT: Final = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEvent:
    """One attempt."""

    subscription_id: str
    event_id: str | None
    """The same for all attempts to tell one event; None: a ping, which tells of none."""
    job_id: str
    attempt: int
    change: Any
    """What was to be told: enough to send it again."""
    status: int | None
    milliseconds: int
    response: str
    """The head of the answer."""
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredWebhookEvent(WebhookEvent):
    """One attempt, as it is kept."""

    id: int
    at: datetime
    """UTC."""


@dataclass(frozen=True, slots=True)
class EventRange:
    """The events that a subscription was told of in a stretch of time, or was to be."""

    subscription_id: str
    since: datetime
    until: datetime
    failed: bool
    """Only those of which no attempt has arrived, at whatever time."""

    def last_attempts(self) -> Select[int]:
        """The id of the last attempt of each event, within this time."""
        rules = [
            Row.subscription_id == self.subscription_id,
            Row.event_id.is_not(None),
            Row.at >= self.since,
            Row.at < self.until,
        ]
        if self.failed:
            other = aliased(Row)
            same = (other.subscription_id == Row.subscription_id) & (other.event_id == Row.event_id)
            rules.append(~exists().where(same, other.error.is_(None)))
        return select(func.max(Row.id).label("id")).where(*rules).group_by(Row.event_id)


@dataclass(frozen=True, slots=True)
class WebhookEventPage:
    """Attempts, the newest first. ``before``: what to ask for next; None at the end."""

    events: Sequence[StoredWebhookEvent]
    before: int | None


def _now() -> datetime:
    return datetime.now(UTC)


class WebhookEvents:
    """Keeps attempts, until they are too old or too many. Raises `DatabaseUnavailable` and `DatabaseOutdated`."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = _now) -> None:
        self._database = database
        self._clock = clock

    async def record(self, event: WebhookEvent) -> int:
        """Keep one; its id."""
        fields = asdict(event)
        fields["response"] = legible(event.response, LONGEST_TEXT)
        fields["error"] = None if event.error is None else legible(event.error, LONGEST_TEXT)
        fields["job_id"] = event.job_id[:500]
        fields["event_id"] = event.event_id and event.event_id[:500]
        row = Row(at=self._clock(), **fields)
        async with self._database.writing() as session:
            session.add(row)
            await session.flush()
            return row.id

    async def page(
        self, subscription_id: str, *, before: int | None = None, limit: int = 50, failed: bool = False
    ) -> WebhookEventPage:
        """A page of a subscription's attempts, at most 500, the newest first; with ``failed`` those that failed."""
        rules = [Row.subscription_id == subscription_id]
        if failed:
            rules.append(Row.error.is_not(None))
        rows, following = await newest_first(self._database, Row, *rules, before=before, limit=limit)
        return WebhookEventPage([_event(row) for row in rows], following)

    async def get(self, event_id: int) -> StoredWebhookEvent | None:
        """One attempt."""
        async with self._database.reading() as session:
            row = await session.get(Row, event_id)
        return None if row is None else _event(row)

    async def count(self, asked: EventRange) -> int:
        """How many events there are in a range."""
        async with self._database.reading() as session:
            ids = asked.last_attempts().subquery()
            return await session.scalar(select(func.count()).select_from(ids)) or 0

    async def latest(
        self, asked: EventRange, *, after: int = 0, limit: int = 200
    ) -> Sequence[StoredWebhookEvent]:
        """The last attempt of each event in a range, the oldest first: those behind the id ``after``."""
        ids = asked.last_attempts().subquery()
        query = select(Row).join(ids, ids.c.id == Row.id).where(Row.id > after).order_by(Row.id).limit(limit)
        async with self._database.reading() as session:
            return [_event(row) for row in await session.scalars(query)]

    async def remove_older(self, than: Duration) -> int:
        """Remove attempts of more than this age (seconds, or a `timedelta`), a thousand in one step; how many."""
        oldest = self._clock() - timedelta(milliseconds=milliseconds("than", than))
        return await remove_all(self._database, Row.at, Row.at < oldest)

    async def keep_latest(
        self,
        subscription_id: str,
        count: int,
        *,
        on_progress: Callable[[int], Awaitable[object]] | None = None,
    ) -> int:
        """Remove all of a subscription's attempts but the latest ones, a thousand in one step; how many went.
        ``on_progress`` is told how many after each step."""
        kept = select(Row.id).where(Row.subscription_id == subscription_id).order_by(Row.id.desc())
        async with self._database.reading() as session:
            last = await session.scalar(kept.offset(max(0, whole("count", count) - 1)).limit(1))
        if last is None:
            return 0
        rules = (Row.subscription_id == subscription_id, Row.id < last)
        return await remove_all(self._database, Row.id, *rules, on_progress=on_progress)

    async def subscription_ids(self) -> AsyncIterator[str]:
        """The subscriptions that have attempts, those that are gone among them."""
        last: str | None = ""
        while last is not None:
            query = select(func.min(Row.subscription_id)).where(Row.subscription_id > last)
            async with self._database.reading() as session:
                last = await session.scalar(query)
            if last is not None:
                yield last


def _event(row: Row) -> StoredWebhookEvent:
    names = (
        "id", "at", "subscription_id", "event_id", "job_id", "attempt", "change", "status", "milliseconds",
        "response", "error",
    )  # fmt: skip
    return StoredWebhookEvent(**{name: getattr(row, name) for name in names})
