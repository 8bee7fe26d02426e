"""Jobs that are removed, with everything else, while they run: nothing crashes, and nothing comes back to life."""

from __future__ import annotations

import asyncio

import pytest
import redis.asyncio

from corral import Client, Context, JobGone, Queue, Worker
from corral.client.queue import QueueClient


@pytest.mark.parametrize("outcome", ["return", "raise"])
async def test_no_half_job_is_left(
    outcome: str, client: Client, queue: QueueClient, raw: redis.asyncio.Redis, prefix: str
) -> None:
    """When all keys of a queue are deleted under a running job, its progress and log are `JobGone`, its outcome is
    refused, no part of it is written, and the next job runs."""
    tasks, started, go, errors = Queue(queue.name, attempts=3), asyncio.Event(), asyncio.Event(), []

    @tasks.task
    async def work(_: int, ctx: Context) -> None:
        started.set()
        await go.wait()
        for write in (ctx.progress, ctx.log):
            try:
                await write("late")
            except JobGone as error:
                errors.append(error.job_id)
        if outcome == "raise":
            raise ValueError("late")

    @tasks.task
    async def fine(number: int) -> int:
        return number

    async with Worker(tasks, client=client):
        job = await queue.enqueue("work", 1)
        await started.wait()
        for key in [key async for key in raw.scan_iter(f"{prefix}:{queue.name}:*")]:
            await raw.delete(key)
        go.set()
        assert await (await queue.enqueue("fine", 5)).result(timeout=15) == 5
    assert errors == [job.id, job.id]
    assert [key async for key in raw.scan_iter(f"{prefix}:{queue.name}:{job.id}*")] == []
    assert await queue.get(job.id) is None
