"""Replaying: what a subscription was to be told is told again."""

from __future__ import annotations

import hashlib

from corral import Client, Context, JobHandle, Unrecoverable
from corral.store.webhook_events import EventRange, StoredWebhookEvent, WebhookEvents
from corral.store.webhook_subscriptions import WebhookSubscriptions
from corral.tasks.webhooks.contract import Change, Delivered, Replay, Replayed, WebhookTasks
from corral.tasks.webhooks.database_patience import database_patience

__all__ = ["Replayer"]


class Replayer:
    """Reads the record of attempts, and makes a job for each event that is told again. The receiver knows the event by
    the id that it had before."""

    def __init__(
        self, subscriptions: WebhookSubscriptions, events: WebhookEvents, tasks: type[WebhookTasks]
    ) -> None:
        self._subscriptions = subscriptions
        self._events = events
        self._tasks = tasks

    async def one(self, client: Client, attempt_id: int) -> JobHandle[Delivered] | None:
        """Tell again what an attempt was to tell; None where it is not kept any more, or was a ping."""
        found = await self._events.get(attempt_id)
        if found is None or found.event_id is None:
            return None
        return await self._tasks.send.enqueue(client, _change(found))

    async def run(self, replay: Replay, ctx: Context) -> Replayed:
        """Handle a job that replays. A run that was cut off is begun anew, and adds what is missing: the ids of the
        jobs are made of that of this job and of what they tell."""
        asked = EventRange(replay.subscription_id, replay.since, replay.until, replay.failed)
        count, last = 0, 0
        with database_patience(ctx):
            subscription = await self._subscriptions.get(replay.subscription_id)
            if not subscription.enabled and subscription.opened_at is None:
                raise Unrecoverable(
                    f"the subscription is disabled: {subscription.disabled_reason}. Enable it before a replay"
                )
            whole = await self._events.count(asked)
            while attempts := await self._events.latest(asked, after=last):
                await self._tasks.send.enqueue_many(
                    ctx.client,
                    [_change(attempt) for attempt in attempts],
                    job_id=lambda change: f"{ctx.job_id}-{_short(str(change.event_id))}",
                )
                count, last = count + len(attempts), attempts[-1].id
                await ctx.progress({"replayed": count, "of": max(whole, count)})
        return Replayed(count=count)


def _short(event_id: str) -> str:
    """An id that may be long, as a part of another one."""
    return hashlib.sha256(event_id.encode()).hexdigest()[:32]


def _change(attempt: StoredWebhookEvent) -> Change:
    return Change.model_validate({**attempt.change, "event_id": attempt.event_id})
