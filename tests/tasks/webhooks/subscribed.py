"""What tests of subscriptions do: tell one, with a worker that delivers, and wait for what becomes of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from corral import Client, Job, JobFailed, JobHandle, JobState, Worker
from corral.store.webhook_subscriptions import Subscription
from corral.tasks.webhooks import Change, Delivered, RetrySchedule, Webhooks, WebhookTasks

__all__ = ["GONE", "NO", "Quick", "failed", "parked", "told", "working"]

NO = b"HTTP/1.1 500 No\r\nContent-Length: 4\r\n\r\nbusy"
GONE = b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"
AT_ONCE = RetrySchedule((0,) * 20, jitter=0)


class Quick(WebhookTasks, queue="quick", attempts=21, backoff=AT_ONCE):
    """The same tasks, tried again at once."""


@asynccontextmanager
async def working(client: Client, webhooks: Webhooks) -> AsyncIterator[None]:
    """A worker that delivers, at once again after a failure."""
    async with Worker(webhooks.tasks(), client=client, concurrency=1):
        yield


async def told(client: Client, subscription: Subscription, number: int = 1) -> JobHandle[Delivered]:
    """Tell a subscription of something."""
    change = Change(
        subscription_id=subscription.id,
        action="update",
        resource="order",
        resource_id=str(number),
        data={"n": number},
    )
    return await Quick.send.enqueue(client, change)


async def failed(client: Client, handle: JobHandle[Delivered]) -> Job:
    """The job, once it has failed for good."""
    with pytest.raises(JobFailed):
        await handle.result(timeout=10)
    job = await client.queue("quick").get(handle.id)
    assert job
    return job


async def parked(client: Client, handle: JobHandle[Delivered]) -> Job:
    """The job, once it waits for a long time."""
    async with client.queue("quick").events(after="0-0") as events:
        async for event in events:
            job = await client.queue("quick").get(handle.id)
            if event.name == "delayed" and job and job.state is JobState.DELAYED and job.delay > 10_000:
                return job
    raise AssertionError("the events ended")
