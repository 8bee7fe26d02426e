"""The circuit breaker of each subscription to webhooks, which all workers share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import update

from corral.store.database import Database
from corral.store.tables import WebhookSubscriptionRow as Row
from corral.store.webhook_subscriptions import Subscription, WebhookSubscriptions

__all__ = ["GIVE_UP_AFTER", "Admission", "BreakerChange", "WebhookBreaker"]

OPENS_AFTER: Final = 5
"""Failures in a row."""
FIRST_PROBE: Final = timedelta(minutes=1)
LAST_PROBE: Final = timedelta(hours=1)
PROBE_TAKES: Final = timedelta(seconds=30)
"""In this time nobody else probes, so that a worker that dies while it does holds nobody up for longer."""
LONGEST_ASKED: Final = 24 * 3600.0
GIVE_UP_AFTER: Final = timedelta(days=5)
BREAKER: Final = "it failed too often in a row"
UNREACHABLE: Final = "it could not be reached for too long"


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
    GIVEN_UP = "given up"
    """It was open for so long that nobody probes any more: disabled until somebody enables it."""


def _now() -> datetime:
    return datetime.now(UTC)


class WebhookBreaker:
    """Five failures in a row open it: the subscription is disabled, and deliveries wait. After a minute, then two, then
    four, up to an hour, one of them is let through; when it arrives, the subscription is enabled again. When it has
    been open for ``give_up_after``, and one more has failed, it is disabled for good: jobs do not pile up without end.

    Raises `DatabaseUnavailable` and `DatabaseOutdated`.
    """

    def __init__(
        self,
        database: Database,
        *,
        give_up_after: timedelta = GIVE_UP_AFTER,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._database = database
        self._give_up_after = give_up_after
        self._subscriptions = WebhookSubscriptions(database)
        self._clock = clock

    async def admit(self, subscription_id: str) -> Admission:
        """Whether a delivery may be tried now. Of all that ask while it is open one is the probe. Raises
        `SubscriptionGone`."""
        found = await self._subscriptions.get(subscription_id)
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
            if row.opened_at is not None and now - row.opened_at >= self._give_up_after:
                row.opened_at, row.probe_at, row.disabled_reason = None, None, UNREACHABLE
                return BreakerChange.GIVEN_UP
            pause = min(FIRST_PROBE * 2 ** min(row.failures - OPENS_AFTER, 10), LAST_PROBE)
            row.probe_at = now + max(pause, timedelta(seconds=min(retry_after, LONGEST_ASKED)))
            if was_open:
                return None
            row.enabled, row.opened_at, row.disabled_reason = False, now, BREAKER
            return BreakerChange.OPENED
