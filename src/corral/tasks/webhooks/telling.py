"""Telling: one attempt to tell a subscription, what it does to the breaker, and the record of it."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from corral import Context, Snooze, Unrecoverable
from corral.contracts.secret import masked_text
from corral.store.database import Database
from corral.store.webhook_breaker import GIVE_UP_AFTER, Admission, BreakerChange, WebhookBreaker
from corral.store.webhook_events import WebhookEvent, WebhookEvents
from corral.store.webhook_keys import WebhookKeys
from corral.store.webhook_subscriptions import Subscription, WebhookSubscriptions
from corral.tasks.errors import DeliveryFailed
from corral.tasks.webhooks.attempt import Gone, Sender
from corral.tasks.webhooks.contract import Change, Delivered, Ping
from corral.tasks.webhooks.database_patience import database_patience
from corral.tasks.webhooks.signing import Signing, message_id

__all__ = ["OnChange", "Teller"]

Outcome = Delivered | DeliveryFailed | Unrecoverable

OnChange = Callable[[Subscription, BreakerChange], Awaitable[None]]
"""Told when the breaker of a subscription opens, closes or gives up, or its receiver is gone: in the worker whose
attempt did it."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was sent to whom, and what came of it."""

    subscription: Subscription
    event_id: str | None
    change: Any
    outcome: Outcome
    milliseconds: int

    def recorded(self, ctx: Context) -> WebhookEvent:
        """As it is kept."""
        outcome = self.outcome
        status = outcome.status if isinstance(outcome, Delivered | DeliveryFailed) else None
        return WebhookEvent(
            subscription_id=self.subscription.id,
            event_id=self.event_id,
            job_id=ctx.job_id,
            attempt=ctx.attempt,
            change=self.change,
            status=410 if isinstance(outcome, Gone) else status,
            milliseconds=self.milliseconds,
            response=outcome.response if isinstance(outcome, DeliveryFailed) else "",
            error=None if isinstance(outcome, Delivered) else str(outcome),
        )


class Teller:
    """Makes attempts. The answer decides about the job: a database that is away when it has come costs the record, and
    not another delivery."""

    def __init__(
        self,
        database: Database,
        sender: Sender,
        on_change: OnChange | None,
        *,
        give_up_after: timedelta = GIVE_UP_AFTER,
    ) -> None:
        self._breaker = WebhookBreaker(database, give_up_after=give_up_after)
        self._events = WebhookEvents(database)
        self._keys = WebhookKeys(database)
        self._subscriptions = WebhookSubscriptions(database)
        self._sender = sender
        self._on_change = on_change

    async def send(self, change: Change, ctx: Context) -> Delivered:
        """Tell of a change. While the breaker is open, the job waits, and spends no attempt."""
        with database_patience(ctx):
            admission = await self._breaker.admit(change.subscription_id)
            if admission.wait is not None:
                raise Snooze(admission.wait.total_seconds() * (1 + random.random() / 10))
            subscription = admission.subscription
            if not subscription.enabled and not admission.is_probe:
                raise Unrecoverable(f"the subscription is disabled: {subscription.disabled_reason}")
            keys = await self._keys.of(change.subscription_id)
        event_id = change.event_id or ctx.job_id
        body = {
            "id": message_id(event_id),
            "type": change.event,
            "action": change.action,
            "resource": change.resource,
            "resourceId": change.resource_id,
            "data": change.data,
        }
        outcome, spent = await self._post(subscription, keys, event_id, body)
        kept = change.model_dump(mode="json", exclude={"event_id"})
        await self._settle(Attempt(subscription, event_id, kept, outcome, spent), ctx, admission)
        return _result(outcome)

    async def ping(self, ping: Ping, ctx: Context) -> Delivered:
        """Send what tells of nothing, also where the subscription is disabled. The breaker is not told."""
        with database_patience(ctx):
            subscription = await self._subscriptions.get(ping.subscription_id)
            keys = await self._keys.of(ping.subscription_id)
        body = {"id": message_id(ctx.job_id), "type": "webhook.ping", "action": "ping"}
        outcome, spent = await self._post(subscription, keys, ctx.job_id, body)
        await self._settle(Attempt(subscription, None, {"action": "ping"}, outcome, spent), ctx, None)
        return _result(outcome)

    async def _post(
        self, subscription: Subscription, keys: Sequence[str], event_id: str, body: Any
    ) -> tuple[Outcome, int]:
        """What came of it, and in how many milliseconds."""
        began = time.monotonic()
        try:
            answer = await self._sender.attempt(
                subscription.url,
                body,
                message_id(event_id),
                signing=Signing(subscription.signing),
                keys=keys,
                headers=subscription.headers,
            )
            outcome: Outcome = Delivered(status=answer.status, seconds=answer.seconds)
        except (DeliveryFailed, Unrecoverable) as error:
            outcome = error
        return outcome, round((time.monotonic() - began) * 1000)

    async def _settle(self, attempt: Attempt, ctx: Context, admission: Admission | None) -> None:
        """Let the breaker know of what it has admitted, and keep what came of it."""
        event = attempt.recorded(ctx)
        try:
            changed = None if admission is None else await self._count(admission, attempt.outcome)
            await self._events.record(event)
            if changed is not None and self._on_change is not None:
                await self._on_change(await self._subscriptions.get(attempt.subscription.id), changed)
        except Exception as error:  # noqa: BLE001 - the answer stands, whatever is wrong with telling of it
            ctx.logger.error(
                "Webhook attempt could not be kept", err=masked_text(str(error)), status=event.status
            )

    async def _count(self, admission: Admission, outcome: Outcome) -> BreakerChange | None:
        if isinstance(outcome, Gone):
            await self._subscriptions.disable(admission.subscription.id, "the receiver answered 410: gone")
            return BreakerChange.GONE
        asked = outcome.retry_after if isinstance(outcome, DeliveryFailed) else None
        return await self._breaker.settle(
            admission.subscription.id,
            arrived=isinstance(outcome, Delivered),
            is_probe=admission.is_probe,
            retry_after=asked or 0,
        )


def _result(outcome: Outcome) -> Delivered:
    if isinstance(outcome, Exception):
        raise outcome
    return outcome
