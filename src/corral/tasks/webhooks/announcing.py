"""Announcing: an event becomes a job for each subscription that wants it."""

from __future__ import annotations

from corral import Context, JobHandle
from corral.contracts.producer import AsyncProducer
from corral.store.webhook_subscriptions import Subscription, WebhookSubscriptions
from corral.tasks.webhooks.contract import Announced, Announcement, Change, Delivered, WebhookTasks
from corral.tasks.webhooks.database_patience import database_patience

__all__ = ["Announcer"]


class Announcer:
    """Finds who wants an event. Those that are disabled are not told, unless it is their breaker that has done so: then
    their jobs wait."""

    def __init__(self, subscriptions: WebhookSubscriptions, tasks: type[WebhookTasks]) -> None:
        self._subscriptions = subscriptions
        self._tasks = tasks

    async def run(self, announcement: Announcement, ctx: Context) -> Announced:
        """Handle a job that announces: the same one adds the same jobs, however often it runs."""
        with database_patience(ctx):
            handles = await self.announce(ctx.client, announcement, ctx.job_id)
        return Announced(count=len(handles))

    async def announce(
        self, client: AsyncProducer, announcement: Announcement, event_id: str | None
    ) -> list[JobHandle[Delivered]]:
        """A job for each subscription; with an ``event_id`` none of them twice."""
        fields = announcement.model_dump(exclude={"owner"})
        changes = [
            Change(subscription_id=one.id, **fields)
            for one in await self._all(announcement.owner)
            if one.wants(announcement.event) and (one.enabled or one.opened_at is not None)
        ]
        if not changes:
            return []
        if event_id is None:
            return await self._tasks.send.enqueue_many(client, changes)
        return await self._tasks.send.enqueue_many(
            client, changes, job_id=lambda change: f"{event_id}-{change.subscription_id}"
        )

    async def _all(self, owner: str | None) -> list[Subscription]:
        found: list[Subscription] = []
        while page := await self._subscriptions.list(after=found[-1].id if found else "", owner=owner):
            found += page
        return found
