"""Subscriptions to webhooks, and the circuit breaker of each, which all workers share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any, Final

from sqlalchemy import select, update

from corral.client.ids import new_job_id
from corral.errors import SubscriptionGone
from corral.store.database import Database
from corral.store.tables import WebhookSubscriptionRow as Row

__all__ = ["Admission", "BreakerChange", "Subscription", "WebhookSubscriptions"]

OPENS_AFTER: Final = 5
"""Failures in a row."""
FIRST_PROBE: Final = timedelta(minutes=1)
LAST_PROBE: Final = timedelta(hours=1)
PROBE_TAKES: Final = timedelta(seconds=30)
"""In this time nobody else probes, so that a worker that dies while it does holds nobody up for longer."""
LONGEST_ASKED: Final = 24 * 3600.0
BREAKER: Final = "it failed too often in a row"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Who wants which events where. Times are UTC."""

    id: str
    url: str
    events: Sequence[str]
    """Patterns of event names, such as ``order.*``; empty: all."""
    signing: str
    keys: Sequence[str] = field(repr=False)
    """Texts of signing keys, the newest first."""
    headers: Mapping[str, str] = field(repr=False)
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


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether a delivery may be tried: it may, or not before ``wait``, or never while the subscription is disabled."""

    subscription: Subscription
    wait: timedelta | None = None
    is_probe: bool = False


class BreakerChange(StrEnum):
    """What an attempt did to the breaker."""

    OPENED = "opened"
    RESUMED = "resumed"
    GONE = "gone"
    """Not by the breaker: the receiver said that it wants no more (410)."""


def _now() -> datetime:
    return datetime.now(UTC)


class WebhookSubscriptions:
    """Keeps subscriptions. Keys are stored as they are, since deliveries are signed with them: guard the database.

    Five failures in a row open the breaker of a subscription: it is disabled, and deliveries wait. After a minute, then
    two, then four, up to an hour, one of them is let through; when it arrives, the subscription is enabled again. Every
    verb raises `DatabaseUnavailable` or `DatabaseOutdated`, and those that name a subscription `SubscriptionGone`.
    """

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = _now) -> None:
        self._database = database
        self._clock = clock

    # --- keeping ----------------------------------------------------------------------------------------

    async def create(
        self,
        url: str,
        *,
        signing: str,
        keys: Sequence[str],
        events: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
    ) -> Subscription:
        """Make one. What can be wrong with it is for the caller to know: `Webhooks.subscribe` does."""
        now = self._clock()
        row = Row(
            id=new_job_id(),
            url=url,
            events=list(events),
            signing=signing,
            keys=list(keys),
            headers=dict(headers or {}),
            enabled=True,
            failures=0,
            created_at=now,
            updated_at=now,
        )
        async with self._database.writing() as session:
            session.add(row)
        return _subscription(row)

    async def get(self, subscription_id: str) -> Subscription:
        """One of them."""
        async with self._database.reading() as session:
            row = await session.get(Row, subscription_id)
        if row is None:
            raise SubscriptionGone(subscription_id)
        return _subscription(row)

    async def list(self, *, after: str = "", limit: int = 200) -> Sequence[Subscription]:
        """A page of them, in the order in which they were made: those behind the id ``after``."""
        query = select(Row).where(Row.id > after).order_by(Row.id).limit(max(1, min(limit, 1000)))
        async with self._database.reading() as session:
            return [_subscription(row) for row in await session.scalars(query)]

    async def change(
        self,
        subscription_id: str,
        *,
        url: str | None = None,
        events: Sequence[str] | None = None,
        keys: Sequence[str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Subscription:
        """Set what is given. What can be wrong with it is for the caller to know: `Webhooks.change` does."""
        given: dict[str, Any] = {
            "url": url,
            "events": None if events is None else list(events),
            "keys": None if keys is None else list(keys),
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
            await session.delete(row)

    async def _set(self, subscription_id: str, **fields: Any) -> Subscription:
        async with self._database.writing() as session:
            row = await session.get(Row, subscription_id, with_for_update=True)
            if row is None:
                raise SubscriptionGone(subscription_id)
            for name, value in (fields | {"updated_at": self._clock()}).items():
                setattr(row, name, value)
        return _subscription(row)

    # --- the breaker ------------------------------------------------------------------------------------

    async def admit(self, subscription_id: str) -> Admission:
        """Whether a delivery may be tried now. Of all that ask while the breaker is open one is the probe."""
        found = await self.get(subscription_id)
        if found.enabled or found.probe_at is None:
            return Admission(found)
        now = self._clock()
        if found.probe_at > now:
            return Admission(found, wait=found.probe_at - now)
        mine = (
            update(Row)
            .where(Row.id == subscription_id, Row.probe_at == found.probe_at, Row.enabled.is_(False))
            .values(probe_at=now + PROBE_TAKES)
            .returning(Row.id)
        )
        async with self._database.writing() as session:
            taken = await session.scalars(mine)
        is_probe = len(taken.all()) == 1
        return Admission(found, wait=None if is_probe else PROBE_TAKES, is_probe=is_probe)

    async def settle(
        self, subscription_id: str, *, arrived: bool, is_probe: bool = False, retry_after: float = 0
    ) -> BreakerChange | None:
        """Count an attempt; what it did to the breaker. While that is open only the probe says anything: what was under
        way when it opened is not counted.

        Args:
            retry_after: seconds that the receiver asked to wait.
        """
        now = self._clock()
        async with self._database.writing() as session:
            row = await session.get(Row, subscription_id, with_for_update=True)
            if row is None:
                return None
            was_open = row.opened_at is not None
            if was_open and not (is_probe or arrived):
                return None
            row.failures = 0 if arrived else row.failures + 1
            if arrived and was_open:
                row.enabled, row.opened_at, row.probe_at, row.disabled_reason = True, None, None, None
                return BreakerChange.RESUMED
            if row.failures < OPENS_AFTER or not (row.enabled or was_open):
                return None
            pause = min(FIRST_PROBE * 2 ** min(row.failures - OPENS_AFTER, 10), LAST_PROBE)
            row.probe_at = now + max(pause, timedelta(seconds=min(retry_after, LONGEST_ASKED)))
            if was_open:
                return None
            row.enabled, row.opened_at, row.disabled_reason = False, now, BREAKER
            return BreakerChange.OPENED


def _subscription(row: Row) -> Subscription:
    names = (
        "id", "url", "events", "signing", "keys", "headers", "enabled", "failures", "opened_at", "probe_at",
        "disabled_reason",
    )  # fmt: skip
    return Subscription(**{name: getattr(row, name) for name in names})
