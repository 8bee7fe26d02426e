"""Subscriptions to webhooks: who wants which events where."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from sqlalchemy import delete, or_, select

from corral.client.ids import new_job_id
from corral.errors import InvalidOption, SubscriptionGone
from corral.store.database import Database
from corral.store.tables import WebhookKeyRow
from corral.store.tables import WebhookSubscriptionRow as Row
from corral.store.texts import label, storable

__all__ = ["Subscription", "WebhookSubscriptions", "subscription_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Who wants which events where. Times are UTC. Its keys are not here: `corral.store.webhook_keys` has them."""

    id: str
    url: str
    events: Sequence[str]
    """Patterns of event names, such as ``order.*``; empty: all."""
    signing: str
    headers: Mapping[str, str] = field(repr=False)
    owner: str | None
    """Whose it is, an organisation's for instance; None: it is told of what anybody owns."""
    enabled: bool
    failures: int
    """In a row."""
    opened_at: datetime | None
    """Since when the breaker is open."""
    probe_at: datetime | None
    """When one delivery may try whether the receiver is back."""
    disabled_reason: str | None

    def wants(self, event: str) -> bool:
        """Whether it is subscribed to an event of this name."""
        return not self.events or any(fnmatchcase(event, pattern) for pattern in self.events)


def _now() -> datetime:
    return datetime.now(UTC)


class WebhookSubscriptions:
    """Keeps subscriptions. Every verb raises `DatabaseUnavailable` or `DatabaseOutdated`, and those that name a
    subscription `SubscriptionGone`."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = _now) -> None:
        self._database = database
        self._clock = clock

    async def create(
        self,
        url: str,
        *,
        signing: str,
        keys: Sequence[str],
        events: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
        owner: str | None = None,
    ) -> Subscription:
        """Make one. What else can be wrong with it is for the caller to know: `Webhooks.subscribe` does.

        Args:
            keys: the texts of its signing keys, the newest first.
            events: raises `InvalidOption` for what is no list of patterns, or has an empty one.
        """
        now = self._clock()
        row = Row(
            id=new_job_id(),
            url=url,
            events=_patterns(events),
            signing=signing,
            headers=dict(headers or {}),
            owner=owner,
            enabled=True,
            failures=0,
            created_at=now,
            updated_at=now,
        )
        async with self._database.writing() as session:
            session.add(row)
            session.add_all(WebhookKeyRow(subscription_id=row.id, text=text) for text in reversed(keys))
        return subscription_of(row)

    async def get(self, subscription_id: str) -> Subscription:
        """One of them."""
        if not storable(subscription_id):
            raise SubscriptionGone(subscription_id)
        async with self._database.reading() as session:
            row = await session.get(Row, subscription_id)
        if row is None:
            raise SubscriptionGone(subscription_id)
        return subscription_of(row)

    async def list(
        self, *, after: str = "", limit: int = 200, owner: str | None = None
    ) -> Sequence[Subscription]:
        """A page of them, in the order in which they were made: those behind the id ``after``; with an ``owner`` those
        that are its own and those that nobody owns."""
        query = select(Row).where(Row.id > after).order_by(Row.id).limit(max(1, min(limit, 1000)))
        if owner is not None:
            query = query.where(or_(Row.owner == owner, Row.owner.is_(None)))
        async with self._database.reading() as session:
            return [subscription_of(row) for row in await session.scalars(query)]

    async def change(
        self,
        subscription_id: str,
        *,
        url: str | None = None,
        events: Sequence[str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Subscription:
        """Set what is given. Raises `InvalidOption` for events that are no list of patterns; what else can be wrong is
        for the caller to know: `Webhooks.change` does."""
        given: dict[str, Any] = {
            "url": url,
            "events": None if events is None else _patterns(events),
            "headers": None if headers is None else dict(headers),
        }
        return await self._set(
            subscription_id, **{name: value for name, value in given.items() if value is not None}
        )

    async def enable(self, subscription_id: str) -> Subscription:
        """Let deliveries go again, the breaker closed."""
        closed = {"failures": 0, "opened_at": None, "probe_at": None, "disabled_reason": None}
        return await self._set(subscription_id, enabled=True, **closed)

    async def disable(self, subscription_id: str, reason: str) -> Subscription:
        """Deliver nothing until somebody enables it."""
        return await self._set(
            subscription_id, enabled=False, opened_at=None, probe_at=None, disabled_reason=reason[:200]
        )

    async def delete(self, subscription_id: str) -> None:
        """Delete it. What waits for it fails for good."""
        async with self._database.writing() as session:
            row = await session.get(Row, subscription_id)
            if row is None:
                raise SubscriptionGone(subscription_id)
            await session.execute(delete(WebhookKeyRow).where(WebhookKeyRow.subscription_id == row.id))
            await session.delete(row)

    async def _set(self, subscription_id: str, **fields: Any) -> Subscription:
        async with self._database.writing() as session:
            row = await session.get(Row, subscription_id, with_for_update=True)
            if row is None:
                raise SubscriptionGone(subscription_id)
            for name, value in (fields | {"updated_at": self._clock()}).items():
                setattr(row, name, value)
        return subscription_of(row)


def _patterns(events: Sequence[str]) -> list[str]:
    # A type checker takes a text for a list of its letters, of which a star wants everything.
    if isinstance(events, str):
        raise InvalidOption("events", events, f"give a list of patterns: [{events!r}]")
    return [label("events", pattern) for pattern in events]


def subscription_of(row: Row) -> Subscription:
    """A row as others see it."""
    names = (
        "id", "url", "events", "signing", "headers", "owner", "enabled", "failures", "opened_at", "probe_at",
        "disabled_reason",
    )  # fmt: skip
    return Subscription(**{name: getattr(row, name) for name in names})
