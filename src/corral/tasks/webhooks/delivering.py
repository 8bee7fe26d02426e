"""The handlers: deliveries to a URL, and to subscriptions with their breakers."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Literal, Self

from corral import Client, Context, JobHandle, Snooze, Unrecoverable
from corral.contracts.secret import masked_text
from corral.errors import DatabaseUnavailable, SubscriptionGone
from corral.store.database import Database
from corral.store.webhook_events import WebhookEvent, WebhookEvents
from corral.store.webhook_subscriptions import Admission, BreakerChange, Subscription, WebhookSubscriptions
from corral.tasks.errors import DeliveryFailed
from corral.tasks.webhooks.attempt import Gone, Sender, check_headers
from corral.tasks.webhooks.contract import Change, Delivered, Delivery, WebhookTasks
from corral.tasks.webhooks.keys import SigningKey
from corral.tasks.webhooks.posting import Poster
from corral.tasks.webhooks.signing import Signing, signed_headers

__all__ = ["Webhooks"]

NO_DATABASE: Final = 15.0
"""Seconds until a delivery looks again whether it may be tried."""

Outcome = Delivered | DeliveryFailed | Unrecoverable

OnChange = Callable[[Subscription, BreakerChange], Awaitable[None]]
"""Told when the breaker of a subscription opens or closes, in the worker whose attempt did it."""


class Webhooks:
    """Delivers webhooks: `Worker(webhooks.tasks(), lifespan=lambda: webhooks)` with ``webhooks = Webhooks(…)``.

    Args:
        keys: keys by their names, for deliveries to a URL; the newest first where there are several.
        database: of subscriptions. None: there are none.
        poster: how to reach receivers; else HTTPS to public addresses, within 5 s.
        tasks: a task set of your own with the same tasks: another queue, another retry schedule.
        on_change: told when a breaker has opened or closed, or a receiver is gone: to write to the owner of the
            subscription. What it raises is logged, and changes nothing about the delivery.
        clock: seconds since 1970, for signatures.
    """

    def __init__(
        self,
        *,
        keys: Mapping[str, SigningKey | Sequence[SigningKey]] | None = None,
        database: Database | None = None,
        poster: Poster | None = None,
        tasks: type[WebhookTasks] = WebhookTasks,
        on_change: OnChange | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._tasks = tasks
        self._on_change = on_change
        self._sender = Sender(poster or Poster(), clock)
        self._keys = {
            name: [given] if isinstance(given, SigningKey) else list(given)
            for name, given in (keys or {}).items()
        }
        self._subscriptions = None if database is None else WebhookSubscriptions(database)
        self._events = None if database is None else WebhookEvents(database)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close what deliveries have opened, when the last one is done: what a worker's ``lifespan`` does."""
        await self._sender.poster.close()

    def tasks(self) -> WebhookTasks:
        """The task set with its handlers, for a worker."""
        return self._tasks(send=self.send, deliver=self.deliver)

    @property
    def subscriptions(self) -> WebhookSubscriptions:
        """The subscriptions, where there is a database."""
        if self._subscriptions is None:
            raise Unrecoverable("there is no database of subscriptions: Webhooks(database=…)")
        return self._subscriptions

    @property
    def events(self) -> WebhookEvents:
        """Every attempt to tell a subscription, where there is a database."""
        if self._events is None:
            raise Unrecoverable("there is no database of subscriptions: Webhooks(database=…)")
        return self._events

    # --- what a program does ----------------------------------------------------------------------------

    async def subscribe(
        self,
        url: str,
        *,
        events: Sequence[str] = (),
        signing: Signing = Signing.RSA,
        key: SigningKey | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Subscription:
        """Make a subscription, with a new key unless one is given.

        Args:
            url: where to. Raises `TargetRefused` for one that may not be delivered to.
            events: patterns of names, such as ``order.*``; empty: all.
            key: raises `InvalidKey` where the signing cannot use it.
        """
        target = self._sender.poster.egress.target(url)
        check_headers(target.url, headers or {})
        made = key or SigningKey.generate("rsa" if signing is Signing.RSA else "whsec")
        signed_headers(signing, [made], "check", 0, b"")
        return await self.subscriptions.create(
            url, signing=signing, keys=[made.text], events=events, headers=headers
        )

    async def change(
        self,
        subscription_id: str,
        *,
        url: str | None = None,
        events: Sequence[str] | None = None,
        keys: Sequence[SigningKey] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Subscription:
        """Set what is given, checked as `subscribe` checks it. Several keys, the newest first, replace one without a
        moment at which the receiver knows none of them."""
        found = await self.subscriptions.get(subscription_id)
        target = self._sender.poster.egress.target(found.url if url is None else url)
        check_headers(target.url, headers or {})
        if keys is not None:
            signed_headers(Signing(found.signing), keys, "check", 0, b"")
        return await self.subscriptions.change(
            subscription_id,
            url=url,
            events=events,
            keys=None if keys is None else [key.text for key in keys],
            headers=headers,
        )

    async def announce(
        self,
        client: Client,
        *,
        action: Literal["create", "update", "delete"],
        resource: str,
        resource_id: str,
        data: object = None,
        event_id: str | None = None,
    ) -> list[JobHandle[Delivered]]:
        """Tell all subscriptions that want this event, but for those that are disabled: a job for each.

        Args:
            event_id: the same one is one announcement, however often it is made: give it where a job announces.
        """
        fields = {"action": action, "resource": resource, "resource_id": resource_id, "data": data}
        event = Change.model_validate({"subscription_id": "", **fields}).event
        told = [
            one
            for one in await self._all()
            if one.wants(event) and (one.enabled or one.opened_at is not None)
        ]
        changes = [Change.model_validate({"subscription_id": one.id, **fields}) for one in told]
        if event_id is None:
            return await self._tasks.send.enqueue_many(client, changes) if changes else []
        return [
            await self._tasks.send.enqueue(client, change, job_id=f"{event_id}-{change.subscription_id}")
            for change in changes
        ]

    async def replay(self, client: Client, event_id: int) -> JobHandle[Delivered] | None:
        """Send again what an attempt was to tell, as a job of its own; None where the attempt is not kept any more."""
        found = await self.events.get(event_id)
        if found is None:
            return None
        return await self._tasks.send.enqueue(client, Change.model_validate(found.change))

    async def _all(self) -> list[Subscription]:
        found: list[Subscription] = []
        while page := await self.subscriptions.list(after=found[-1].id if found else ""):
            found += page
        return found

    # --- what a worker does -----------------------------------------------------------------------------

    async def deliver(self, delivery: Delivery, ctx: Context) -> Delivered:
        """Make one attempt at a delivery to a URL."""
        if delivery.key not in self._keys:
            raise Unrecoverable(f"no key has the name {delivery.key!r}")
        answer = await self._sender.attempt(
            delivery.url,
            delivery.payload,
            ctx.job_id,
            signing=delivery.signing,
            keys=self._keys[delivery.key],
            headers=delivery.headers,
        )
        return Delivered(status=answer.status, seconds=answer.seconds)

    async def send(self, change: Change, ctx: Context) -> Delivered:
        """Make one attempt to tell a subscription. While its breaker is open, the job waits, and spends no attempt."""
        try:
            admission = await self.subscriptions.admit(change.subscription_id)
        except SubscriptionGone as error:
            raise Unrecoverable(str(error)) from error
        except DatabaseUnavailable as error:
            ctx.logger.warning("Webhook waits for the database", err=str(error))
            raise Snooze(NO_DATABASE) from error
        if admission.wait is not None:
            raise Snooze(admission.wait.total_seconds() * (1 + random.random() / 10))
        subscription = admission.subscription
        if not subscription.enabled and not admission.is_probe:
            raise Unrecoverable(f"the subscription is disabled: {subscription.disabled_reason}")
        began = time.monotonic()
        try:
            outcome: Outcome = await self._tell(subscription, change, ctx)
        except (DeliveryFailed, Unrecoverable) as error:
            outcome = error
        spent = round((time.monotonic() - began) * 1000)
        await self._settle(admission, change, ctx, spent, outcome)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def _tell(self, subscription: Subscription, change: Change, ctx: Context) -> Delivered:
        payload = {
            "id": ctx.job_id,
            "type": change.event,
            "action": change.action,
            "resource": change.resource,
            "resourceId": change.resource_id,
            "data": change.data,
        }
        answer = await self._sender.attempt(
            subscription.url,
            payload,
            ctx.job_id,
            signing=Signing(subscription.signing),
            keys=subscription.keys,
            headers=subscription.headers,
        )
        return Delivered(status=answer.status, seconds=answer.seconds)

    async def _settle(
        self, admission: Admission, change: Change, ctx: Context, milliseconds: int, outcome: Outcome
    ) -> None:
        """Let the breaker know, and keep what came of an attempt. The answer decides about the job: a database that is
        away in this moment costs the record, and not another delivery."""
        status = outcome.status if isinstance(outcome, Delivered | DeliveryFailed) else None
        event = WebhookEvent(
            subscription_id=admission.subscription.id,
            job_id=ctx.job_id,
            attempt=ctx.attempt,
            change=change.model_dump(mode="json"),
            status=410 if isinstance(outcome, Gone) else status,
            milliseconds=milliseconds,
            response=outcome.response if isinstance(outcome, DeliveryFailed) else "",
            error=None if isinstance(outcome, Delivered) else str(outcome),
        )
        try:
            changed = await self._count(admission, outcome)
            await self.events.record(event)
            if changed is not None and self._on_change is not None:
                await self._on_change(await self.subscriptions.get(admission.subscription.id), changed)
        except Exception as error:  # noqa: BLE001 - the answer stands, whatever is wrong with telling of it
            ctx.logger.error(
                "Webhook attempt could not be kept", err=masked_text(str(error)), status=event.status
            )

    async def _count(self, admission: Admission, outcome: Outcome) -> BreakerChange | None:
        if isinstance(outcome, Gone):
            await self.subscriptions.disable(admission.subscription.id, "the receiver answered 410: gone")
            return BreakerChange.GONE
        asked = outcome.retry_after if isinstance(outcome, DeliveryFailed) else None
        return await self.subscriptions.settle(
            admission.subscription.id,
            arrived=isinstance(outcome, Delivered),
            is_probe=admission.is_probe,
            retry_after=asked or 0,
        )
