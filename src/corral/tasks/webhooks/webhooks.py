"""Webhooks as a program and a worker see them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Self

from corral import Client, Context, JobHandle, Unrecoverable
from corral.contracts.duration import Duration, milliseconds
from corral.errors import InvalidOption
from corral.store.database import Database
from corral.store.texts import label
from corral.store.webhook_breaker import GIVE_UP_AFTER
from corral.store.webhook_events import WebhookEvents
from corral.store.webhook_keys import WebhookKeys
from corral.store.webhook_subscriptions import Subscription, WebhookSubscriptions
from corral.tasks.webhooks.announcing import Announcer
from corral.tasks.webhooks.attempt import Sender, check_headers
from corral.tasks.webhooks.contract import (
    Action,
    Announced,
    Announcement,
    Change,
    Delivered,
    Delivery,
    Ping,
    Replay,
    Replayed,
    WebhookTasks,
)
from corral.tasks.webhooks.keys import SigningKey
from corral.tasks.webhooks.posting import Poster
from corral.tasks.webhooks.published_keys import PublishedKeys
from corral.tasks.webhooks.replaying import Replayer
from corral.tasks.webhooks.signing import SIGNS_WITH, Signing, message_id, signed_headers
from corral.tasks.webhooks.telling import OnChange, Teller

__all__ = ["Webhooks"]

LONGEST_OVERLAP: Final = timedelta(days=366)


class Webhooks:
    """Delivers webhooks: `Worker(webhooks.tasks(), lifespan=lambda: webhooks)` with ``webhooks = Webhooks(…)``.

    Args:
        keys: keys by their names, for deliveries to a URL; the newest first where there are several.
        database: of subscriptions. None: there are none.
        poster: how to reach receivers; else HTTPS to public addresses, within 5 s.
        tasks: a task set of your own with the same tasks: another queue, another retry schedule.
        give_up_after: when a breaker has been open for so long (seconds, or a `timedelta`) and a probe fails again, the
            subscription is disabled until somebody enables it; what waits for it fails for good.
        on_change: told when a breaker has opened, closed or given up, or a receiver is gone: to write to the owner of
            the subscription. What it raises is logged, and changes nothing about the delivery.
        clock: seconds since 1970, for signatures.
    """

    def __init__(
        self,
        *,
        keys: Mapping[str, SigningKey | Sequence[SigningKey]] | None = None,
        database: Database | None = None,
        poster: Poster | None = None,
        tasks: type[WebhookTasks] = WebhookTasks,
        give_up_after: Duration = GIVE_UP_AFTER,
        on_change: OnChange | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._tasks = tasks
        self._on_change = on_change
        self._give_up_after = timedelta(milliseconds=milliseconds("give_up_after", give_up_after))
        self._sender = Sender(poster or Poster(), clock)
        self._keys = {
            name: [given] if isinstance(given, SigningKey) else list(given)
            for name, given in (keys or {}).items()
        }
        self._database = database
        self.published_keys = PublishedKeys([key for named in self._keys.values() for key in named], database)

    async def __aenter__(self) -> Self:
        await self._sender.poster.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._sender.poster.__aexit__(*error)

    async def close(self) -> None:
        """Close what deliveries have opened, when the last one is done. A worker's ``lifespan`` does so, when it is the
        last of those that share it."""
        await self._sender.poster.close()

    def tasks(self) -> WebhookTasks:
        """The task set with its handlers, for a worker."""
        return self._tasks(
            send=self.send,
            deliver=self.deliver,
            announce=self.announce_all,
            replay=self.replay_all,
            ping=self.ping_one,
        )

    @property
    def subscriptions(self) -> WebhookSubscriptions:
        """The subscriptions. Raises `Unrecoverable` where there is no database, as all that needs one does."""
        return WebhookSubscriptions(self._kept)

    @property
    def events(self) -> WebhookEvents:
        """Every attempt to tell a subscription."""
        return WebhookEvents(self._kept)

    # --- subscriptions ----------------------------------------------------------------------------------

    async def subscribe(
        self,
        url: str,
        *,
        events: Sequence[str] = (),
        signing: Signing = Signing.RSA,
        key: SigningKey | None = None,
        headers: Mapping[str, str] | None = None,
        owner: str | None = None,
    ) -> Subscription:
        """Make a subscription, with a new key unless one is given.

        Args:
            url: where to. Raises `TargetRefused` for one that may not be delivered to.
            events: patterns of names, such as ``order.*``; empty: all.
            key: raises `InvalidKey` where the signing cannot use it.
            owner: whose it is, an organisation's for instance: it is not told of what belongs to another.
        """
        target = self._sender.poster.egress.target(url)
        check_headers(target.url, headers or {})
        if not isinstance(signing, Signing):
            raise InvalidOption("signing", signing, "give a member of Signing, such as Signing.HMAC")
        kind = SIGNS_WITH[signing][0]
        made = await asyncio.to_thread(SigningKey.generate, kind) if key is None else key  # RSA takes long
        signed_headers(signing, [made], "check", 0, b"")
        named = None if owner is None else label("owner", owner)
        return await self.subscriptions.create(
            url, signing=signing, keys=[made.text], events=events, headers=headers, owner=named
        )

    async def change(
        self,
        subscription_id: str,
        *,
        url: str | None = None,
        events: Sequence[str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Subscription:
        """Set what is given, checked as `subscribe` checks it. For keys see `rotate`."""
        found = await self.subscriptions.get(subscription_id)
        target = self._sender.poster.egress.target(found.url if url is None else url)
        check_headers(target.url, headers or {})
        return await self.subscriptions.change(subscription_id, url=url, events=events, headers=headers)

    async def keys(self, subscription_id: str) -> list[SigningKey]:
        """The keys of a subscription, the newest first: ``.public`` of them is what its receiver needs."""
        return [SigningKey.kept(text) for text in await WebhookKeys(self._kept).of(subscription_id)]

    async def rotate(
        self, subscription_id: str, *, overlap: Duration = timedelta(days=1), key: SigningKey | None = None
    ) -> SigningKey:
        """Give a subscription a new key, and return it.

        Args:
            overlap: how long those before it stay in force, in seconds or as a `timedelta`: so long Standard Webhooks
                signs with them too, and they are published. Then they are dropped. 0: at once.
            key: the new key, else one of the same kind is made. Raises `InvalidKey` where the signing cannot use it.

        Raises `TooManyKeys` while ten are in force: each makes a header longer, which receivers take to a limit.
        """
        signing = Signing((await self.subscriptions.get(subscription_id)).signing)
        (newest, *_) = await self.keys(subscription_id)
        made = await asyncio.to_thread(newest.another) if key is None else key
        signed_headers(signing, [made], "check", 0, b"")
        length = timedelta(milliseconds=milliseconds("overlap", overlap))
        if length > LONGEST_OVERLAP:
            raise InvalidOption("overlap", overlap, f"give at most {LONGEST_OVERLAP.days} days")
        await WebhookKeys(self._kept).rotate(subscription_id, made.text, overlap=length)
        return made

    async def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public halves of all keys in force as a JWKS document, each once: of the keys by name, and those of
        subscriptions. Secrets are not in it. Receivers find theirs by `X-Webhook-Key-Id`."""
        found: dict[str, list[dict[str, str]]] = json.loads((await self.published_keys.document()).body)
        return found

    # --- what is told -----------------------------------------------------------------------------------

    async def announce(
        self,
        client: Client,
        *,
        action: Action,
        resource: str,
        resource_id: str,
        data: Any = None,
        owner: str | None = None,
        event_id: str | None = None,
    ) -> list[JobHandle[Delivered]]:
        """Tell all subscriptions that want this event, but for those that are disabled: a job for each.

        Args:
            owner: then only its subscriptions are told, and those that nobody owns; an empty one: these alone.
                None: all are told.
            event_id: the same one is one announcement, however often it is made: give it where a job announces.
        """
        announcement = Announcement(
            action=action, resource=resource, resource_id=resource_id, data=data, owner=owner
        )
        return await Announcer(self.subscriptions, self._tasks).announce(client, announcement, event_id)

    async def replay(self, client: Client, attempt_id: int) -> JobHandle[Delivered] | None:
        """Send again what an attempt was to tell; None where it is not kept any more, or was a ping."""
        return await Replayer(self.subscriptions, self.events, self._tasks).one(client, attempt_id)

    async def replay_range(
        self,
        client: Client,
        subscription_id: str,
        *,
        since: datetime,
        until: datetime | None = None,
        failed: bool = True,
    ) -> JobHandle[Replayed]:
        """Send again what a subscription was to be told in this time, each event once: a job, which tells its progress.

        Args:
            until: attempts at this time or later stay out; else those from now on.
            failed: only events of which no attempt has arrived, at whatever time; else all.
        """
        fields = {"subscription_id": subscription_id, "since": since, "failed": failed}
        replay = Replay.model_validate(fields | ({} if until is None else {"until": until}))
        return await self._tasks.replay.enqueue(client, replay)

    async def ping(self, client: Client, subscription_id: str) -> JobHandle[Delivered]:
        """Send a subscription something that tells of nothing, also a disabled one, to see whether it arrives. It is
        tried once, kept among the attempts, and says nothing to the breaker."""
        await self.subscriptions.get(subscription_id)  # said at once, and not by a job that fails
        return await self._tasks.ping.enqueue(client, Ping(subscription_id=subscription_id))

    # --- what a worker does -----------------------------------------------------------------------------

    async def deliver(self, delivery: Delivery, ctx: Context) -> Delivered:
        """Make one attempt at a delivery to a URL."""
        if delivery.key not in self._keys:
            raise Unrecoverable(f"no key has the name {delivery.key!r}")
        answer = await self._sender.attempt(
            delivery.url,
            delivery.payload,
            message_id(ctx.job_id),
            signing=delivery.signing,
            keys=self._keys[delivery.key],
            headers=delivery.headers,
        )
        return Delivered(status=answer.status, seconds=answer.seconds)

    async def send(self, change: Change, ctx: Context) -> Delivered:
        """Make one attempt to tell a subscription. While its breaker is open, the job waits, and spends no attempt."""
        return await self._teller.send(change, ctx)

    async def ping_one(self, ping: Ping, ctx: Context) -> Delivered:
        """Make the one attempt of a ping."""
        return await self._teller.ping(ping, ctx)

    async def announce_all(self, announcement: Announcement, ctx: Context) -> Announced:
        """Make a job for each subscription that wants an event."""
        return await Announcer(self.subscriptions, self._tasks).run(announcement, ctx)

    async def replay_all(self, replay: Replay, ctx: Context) -> Replayed:
        """Make a job for each event that is told again."""
        return await Replayer(self.subscriptions, self.events, self._tasks).run(replay, ctx)

    @property
    def _teller(self) -> Teller:
        return Teller(self._kept, self._sender, self._on_change, give_up_after=self._give_up_after)

    @property
    def _kept(self) -> Database:
        if self._database is None:
            raise Unrecoverable("there is no database of subscriptions: Webhooks(database=…)")
        return self._database
