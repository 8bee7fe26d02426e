"""What a handler may ask of its context: the payload of its next run, and what it refuses. See also test_children."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import pydantic
import pytest
import redis.asyncio

from corral import (
    BlockingContext,
    CallNext,
    ChildCounts,
    Client,
    Context,
    InThread,
    InvalidFlow,
    InvalidOption,
    InvalidPayload,
    Job,
    JobState,
    PayloadTooLarge,
    Queue,
    Snooze,
    StaleRun,
    Worker,
)
from corral.client.queue import QueueClient


class Page(pydantic.BaseModel):
    """A payload with a field that tells where to go on."""

    cursor: int
    size: int = 2


@pytest.mark.parametrize("again", ["snooze", "retry"])
async def test_the_next_run_gets_it(again: str, client: Client, queue: QueueClient) -> None:
    """What a run sets is the payload of the next one, typed; the run itself keeps the one it was given."""
    tasks, seen = Queue(queue.name, backoff=0, attempts=3), []

    @tasks.task
    async def read(page: Page, ctx: Context) -> int:
        seen.append(page.cursor)
        if page.cursor == 2:
            return page.size
        await ctx.set_data(Page(cursor=page.cursor + 1))
        raise Snooze(0) if again == "snooze" else ValueError("once more")

    async with Worker(tasks, client=client):
        job = await read.enqueue(client, Page(cursor=0))
        assert await job.result(timeout=10) == 2
    assert seen == [0, 1, 2]
    kept = await queue.get(job.id)
    assert kept is not None
    assert kept.data == {"cursor": 2, "size": 2}


async def test_in_a_thread(client: Client, queue: QueueClient) -> None:
    """A blocking handler does the same, without `await`."""
    tasks = Queue(queue.name)

    @tasks.task(run=InThread)
    def read(page: Page, ctx: BlockingContext) -> int:
        if page.cursor == 0:
            ctx.set_data(Page(cursor=7))
            raise Snooze(0)
        return page.cursor

    async with Worker(tasks, client=client):
        assert await (await read.enqueue(client, Page(cursor=0))).result(timeout=10) == 7


async def test_what_is_not_the_tasks_payload_is_refused(client: Client, queue: QueueClient) -> None:
    """It is checked as `enqueue` does, type and length, and nothing is stored of what does not pass."""
    tasks, refused = Queue(queue.name, attempts=1, payload_limit=100), []

    @tasks.task
    async def read(pages: list[Page], ctx: Context) -> None:
        wrong: list[Any] = [[{"cursor": "x"}], "text", None, [Page(cursor=10**30)] * 3]
        for payload in wrong:
            with pytest.raises((InvalidPayload, PayloadTooLarge)) as caught:
                await ctx.set_data(payload)
            refused.append(type(caught.value))

    async with Worker(tasks, client=client):
        job = await read.enqueue(client, [Page(cursor=0)])
        await job.result(timeout=10)
    assert refused == [InvalidPayload, InvalidPayload, InvalidPayload, PayloadTooLarge]
    kept = await queue.get(job.id)
    assert kept is not None
    assert kept.data == [{"cursor": 0, "size": 2}]


async def test_a_superseded_run_sets_nothing(
    client: Client, queue: QueueClient, raw: redis.asyncio.Redis, prefix: str
) -> None:
    """When another run of the job has started, it raises `StaleRun`, and the payload stays."""
    tasks, refused = Queue(queue.name), asyncio.Event()

    @tasks.task
    async def read(page: Page, ctx: Context) -> None:
        await raw.hincrby(f"{prefix}:{queue.name}:{ctx.job_id}", "ats", 1)
        with pytest.raises(StaleRun):
            await ctx.set_data(Page(cursor=1))
        refused.set()

    async with Worker(tasks, client=client):
        job = await read.enqueue(client, Page(cursor=0))
        async with asyncio.timeout(10):
            await refused.wait()
    kept = await queue.get(job.id)
    assert kept is not None
    assert (kept.data, kept.state) == ({"cursor": 0, "size": 2}, JobState.ACTIVE)


async def test_for_a_job_of_any_name(client: Client, queue: QueueClient) -> None:
    """Middleware around a catch-all handler may set any JSON value: nobody knows the job's type."""
    tasks = Queue(queue.name)

    @tasks.catch_all
    async def anything(job: Job) -> Any:
        if job.data == "first":
            raise Snooze(0)
        return job.data

    async def second(_: Job, ctx: Context, call_next: CallNext) -> Any:
        await ctx.set_data(["second"])
        return await call_next()

    async with Worker(tasks, client=client, middleware=[second]):
        assert await (await queue.enqueue("open", "first")).result(timeout=10) == ["second"]


async def test_what_are_no_children_is_refused(client: Client, queue: QueueClient) -> None:
    """One node instead of a list, what is no node, and a name instead of a task are errors that say what to give."""
    tasks, told = Queue(queue.name), []

    @tasks.task
    async def child(number: int) -> int:
        return number

    @tasks.task
    async def parent(number: int, ctx: Context) -> None:
        wrong: list[Any] = [child.node(1), [child], [None], None, 5]
        for nodes in wrong:
            for verb in (ctx.add_children, ctx.run_children):
                with pytest.raises(InvalidFlow, match="node") as caught:
                    await verb(nodes)
                told.append(caught.value.kind)
        for task in ("child", None):
            with pytest.raises(InvalidOption, match="give the task"):
                await ctx.children(task)  # type: ignore[arg-type]

    async with Worker(tasks, client=client):
        job = await parent.enqueue(client, 1)
        await job.result(timeout=10)
    assert told == ["malformed"] * 10
    assert await queue.child_counts(job.id) == ChildCounts(0, 0, 0, 0)


async def test_it_knows_when_its_job_was_enqueued(client: Client, queue_name: str) -> None:
    """The same in each run, and another time for a job that is given an id which is free again."""
    tasks, seen = Queue(queue_name), list[datetime | None]()

    @tasks.task
    async def look(_: int, ctx: Context) -> None:
        seen.append(ctx.timestamp)
        raise RuntimeError

    async with Worker(tasks, client=client):
        first = await look.enqueue(client, 1, job_id="one", attempts=2, backoff=0.01)
        kept = await first.wait(timeout=10)
        await first.remove()
        again = await (await look.enqueue(client, 1, job_id="one", attempts=1)).wait(timeout=10)
    assert seen == [kept.timestamp, kept.timestamp, again.timestamp]
    assert kept.timestamp != again.timestamp
