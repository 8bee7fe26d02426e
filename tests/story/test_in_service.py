"""A worker in service: handlers find what they need, blocking work has a thread, and a deploy loses nothing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from corral import BlockingContext, Client, InThread, JobState, Queue, Worker


async def test_a_worker_that_stops_hands_its_jobs_over(client: Client, queue_name: str) -> None:
    """A deploy loses nothing: the old worker lets its jobs end for the grace time and hands the rest back; the new one
    runs them at once, and no attempt is spent."""
    started = asyncio.Event()

    def version(answer: str, *, slow: bool) -> Queue:
        tasks = Queue(queue_name, attempts=1)

        @tasks.task
        async def work(_: int) -> str:
            started.set()
            if slow:
                await asyncio.sleep(60)  # a slow handler
            return answer

        return tasks

    job = await client.queue(queue_name).enqueue("work", 1, attempts=1)
    async with Worker(version("old", slow=True), client=client, grace=0.05):
        await started.wait()
    assert await job.state() is JobState.WAITING
    async with Worker(version("new", slow=False), client=client):
        assert await job.result(timeout=5) == "new"


async def test_pools_are_opened_for_the_worker(client: Client, queue_name: str) -> None:
    """`lifespan` opens what handlers need before the first job and closes it after the last."""
    pool: list[str] = []
    tasks = Queue(queue_name)

    @tasks.task
    async def query(sql: str) -> str:
        return f"{sql} by {pool[0]}"

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        pool.append("the pool")
        yield
        pool.clear()

    job = await query.enqueue(client, "select 1")
    async with Worker(tasks, client=client, lifespan=lifespan):
        assert await job.result(timeout=10) == "select 1 by the pool"
    assert pool == []


async def test_blocking_work_has_a_thread(client: Client, queue_name: str) -> None:
    """A plain function runs in a thread: it blocks no other job, and may report progress like any other."""
    tasks, release = Queue(queue_name), threading.Event()

    @tasks.task(run=InThread)
    def blocking(_: int, ctx: BlockingContext) -> str:
        ctx.progress("waiting")
        return "released" if release.wait(10) else "late"

    @tasks.task
    async def quick(_: int) -> None:
        release.set()

    async with Worker(tasks, client=client):
        slow = await blocking.enqueue(client, 1)
        await (await quick.enqueue(client, 1)).result(timeout=10)
        assert await slow.result(timeout=10) == "released"
