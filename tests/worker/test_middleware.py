"""Middleware: one extension point around the handler."""

from __future__ import annotations

from typing import Any

import pytest

from corral import Client, Context, Job, JobFailed, Queue, Worker


async def test_layers_wrap_in_order(client: Client, queue_name: str) -> None:
    """The first one is outermost; each sees job and context, may change the result, and sees what is raised."""
    tasks, story = Queue(queue_name, attempts=1), []

    @tasks.task
    async def work(number: int) -> int:
        story.append("handler")
        if number < 0:
            raise ValueError("negative")
        return number

    def layer(name: str) -> Any:
        async def around(job: Job | None, ctx: Context, call_next: Any) -> Any:
            story.append(f"{name} in")
            try:
                return await call_next() + 1
            except ValueError:
                story.append(f"{name} saw it")
                raise
            finally:
                story.append(f"{name} out")

        return around

    async with Worker(tasks, client=client, middleware=[layer("a"), layer("b")]):
        assert await (await work.enqueue(client, 1)).result(timeout=10) == 3
        assert story == ["a in", "b in", "handler", "b out", "a out"]
        story.clear()
        with pytest.raises(JobFailed, match="negative"):
            await (await work.enqueue(client, -1)).result(timeout=10)
        assert story == ["a in", "b in", "handler", "b saw it", "b out", "a saw it", "a out"]


async def test_one_that_raises_fails_the_attempt(client: Client, queue_name: str) -> None:
    """What a middleware raises is treated as if the handler had."""
    tasks = Queue(queue_name, attempts=1)

    @tasks.task
    async def work(number: int) -> int:
        return number

    async def broken(job: Job | None, ctx: Context, call_next: Any) -> Any:
        raise SystemExit("broken layer")

    async with Worker(tasks, client=client, middleware=[broken]):
        with pytest.raises(JobFailed, match="broken layer"):
            await (await work.enqueue(client, 1)).result(timeout=10)
