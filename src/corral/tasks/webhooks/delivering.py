"""The handlers: deliveries to a URL, and to subscriptions with their breakers."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from corral import Client, Context, JobHandle, Snooze, Unrecoverable
from corral.errors import SubscriptionGone
from corral.store.database import Database
from corral.store.webhook_events import WebhookEvent, WebhookEvents
from corral.store.webhook_subscriptions import BreakerChange, Subscription, WebhookSubscriptions
from corral.tasks.errors import DeliveryFailed
from corral.tasks.webhooks.attempt import Gone, Sender, check_headers
from corral.tasks.webhooks.contract import Change, Delivered, Delivery, WebhookTasks
from corral.tasks.webhooks.posting import Poster
from corral.tasks.webhooks.signing import Signing, SigningKey, signed_headers

__all__ = ["Webhooks"]

OnChange = Callable[[Subscription, BreakerChange], Awaitable[None]]
"""Told when the breaker of a subscription opens or closes, in the worker whose attempt did it."""


class Webhooks:
    """Delivers webhooks: `Worker(Webhooks(database=database, secrets={"shop": key}).tasks())`.

    Args:
        secrets: keys by their names, for deliveries to a URL; the newest first where there are several.
        database: of subscriptions. None: there are none.
        poster: how to reach receivers; else HTTPS to public addresses, within 5 s.
        on_change: told when a breaker has opened or closed: to write to the owner of the subscription.
        clock: seconds since 1970, for signatures.
    """

    def __init__(
        self,
        *,
        secrets: Mapping[str, SigningKey | Sequence[SigningKey]] | None = None,
        database: Database | None = None,
        poster: Poster | None = None,
        on_change: OnChange | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._on_change = on_change
        self._sender = Sender(poster or Poster(), clock)
        self._secrets = {
            name: [keys] if isinstance(keys, SigningKey) else list(keys)
            for name, keys in (secrets or {}).items()
        }
        self._subscriptions = None if database is None else WebhookSubscriptions(database)
        self._events = None if database is None else WebhookEvents(database)

    def tasks(self) -> WebhookTasks:
        """The task set with its handlers, for a worker."""
        return WebhookTasks(send=self.send, deliver=self.deliver)

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

    async def announce(
        self, client: Client, *, action: str, resource: str, resource_id: str, data: object = None
    ) -> list[JobHandle[Delivered]]:
        """Tell all subscriptions that want this event: a job for each."""
        fields = {"action": action, "resource": resource, "resource_id": resource_id, "data": data}
        changes = [
            Change.model_validate({"subscription_id": one.id, **fields})
            for one in await self._all()
            if one.wants(f"{resource}.{action}")
        ]
        return await WebhookTasks.send.enqueue_many(client, changes) if changes else []

    async def replay(self, client: Client, event_id: int) -> JobHandle[Delivered] | None:
        """Send again what an attempt was to tell, as a job of its own; None where the attempt is not kept any more."""
        found = await self.events.get(event_id)
        if found is None:
            return None
        return await WebhookTasks.send.enqueue(client, Change.model_validate(found.change))

    async def _all(self) -> list[Subscription]:
        found: list[Subscription] = []
        while page := await self.subscriptions.list(after=found[-1].id if found else ""):
            found += page
        return found

    # --- what a worker does -----------------------------------------------------------------------------

    async def deliver(self, delivery: Delivery, ctx: Context) -> Delivered:
        """Make one attempt at a delivery to a URL."""
        if delivery.secret not in self._secrets:
            raise Unrecoverable(f"no key has the name {delivery.secret!r}")
        answer = await self._sender.attempt(
            delivery.url,
            delivery.payload,
            ctx.job_id,
            signing=delivery.signing,
            keys=self._secrets[delivery.secret],
            headers=delivery.headers,
        )
        return Delivered(status=answer.status, seconds=answer.seconds)

    async def send(self, change: Change, ctx: Context) -> Delivered:
        """Make one attempt to tell a subscription. While its breaker is open, the job waits, and spends no attempt."""
        try:
            admission = await self.subscriptions.admit(change.subscription_id)
        except SubscriptionGone as error:
            raise Unrecoverable(str(error)) from error
        if admission.wait is not None:
            raise Snooze(admission.wait.total_seconds() * (1 + random.random() / 10))
        subscription = admission.subscription
        if not subscription.enabled and not admission.is_probe:
            raise Unrecoverable(f"the subscription is disabled: {subscription.disabled_reason}")
        began = time.monotonic()
        try:
            delivered = await self._tell(subscription, change, ctx)
        except (DeliveryFailed, Unrecoverable) as error:
            await self._settle(subscription, change, ctx, began, error)
            raise
        await self._settle(subscription, change, ctx, began, delivered)
        return delivered

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
            keys=[SigningKey(text) for text in subscription.keys],
            headers=subscription.headers,
        )
        return Delivered(status=answer.status, seconds=answer.seconds)

    async def _settle(
        self,
        subscription: Subscription,
        change: Change,
        ctx: Context,
        began: float,
        outcome: Delivered | DeliveryFailed | Unrecoverable,
    ) -> None:
        """Keep what came of an attempt, and let the breaker know."""
        status = outcome.status if isinstance(outcome, Delivered | DeliveryFailed) else None
        await self.events.record(
            WebhookEvent(
                subscription_id=subscription.id,
                job_id=ctx.job_id,
                attempt=ctx.attempt,
                change=change.model_dump(mode="json"),
                status=410 if isinstance(outcome, Gone) else status,
                milliseconds=round((time.monotonic() - began) * 1000),
                response=outcome.response if isinstance(outcome, DeliveryFailed) else "",
                error=None if isinstance(outcome, Delivered) else str(outcome),
            )
        )
        if isinstance(outcome, Gone):
            await self.subscriptions.disable(subscription.id, "the receiver answered 410: gone")
            return
        changed = await self.subscriptions.settle(subscription.id, arrived=isinstance(outcome, Delivered))
        if changed is not None and self._on_change is not None:
            await self._on_change(await self.subscriptions.get(subscription.id), changed)
