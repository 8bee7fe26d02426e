"""The hook for jobs that failed for good: told of each of them once, of whatever kind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
import redis.asyncio

from corral import Client, InvalidPayload, Job, JobFailed, Queue, UnknownTask, Unrecoverable, Worker

WAYS: dict[str, tuple[str, object, type[BaseException], int]] = {
    "exhausted": ("raise", 1, ValueError, 2),
    "permanent": ("give_up", 1, Unrecoverable, 1),
    "invalid payload": ("raise", "no number", InvalidPayload, 1),
    "unknown task": ("unknown", 1, UnknownTask, 2),
    "stalled too often": ("stall", 1, JobFailed, 1),
}


@pytest.mark.parametrize("way", WAYS)
async def test_told_of_whatever_kind(
    client: Client, queue_name: str, raw: redis.asyncio.Redis, prefix: str, way: str
) -> None:
    """A job whose last attempt failed, and one that has no other because of its payload, its name, its stalls or its
    handler, reaches the hook once, with an error that says why; each failed attempt reaches `on_failed`."""
    name, payload, expected, attempts = WAYS[way]
    queue, told, failed = Queue(queue_name), list[tuple[str, BaseException]](), list[str]()
    heard = asyncio.Event()

    def hear(job: Job, error: BaseException) -> None:
        told.append((job.id, error))
        heard.set()

    @queue.task(name="raise")
    async def break_down(number: int) -> None:
        raise ValueError(number)

    @queue.task
    async def give_up(_: int) -> None:
        raise Unrecoverable("never")

    @queue.task
    async def stall(_: int) -> None: ...

    job = await client.queue(queue_name).enqueue(name, payload, attempts=2, backoff=0)
    if way == "stalled too often":
        await raw.hset(f"{prefix}:{queue_name}:{job.id}", "defa", "job stalled more than allowable limit")
    note: Callable[[Job, BaseException], None] = lambda job, _: failed.append(job.id)  # noqa: E731
    async with Worker(queue, client=client, on_exhausted=hear, on_failed=note):
        await job.wait(timeout=10)
        async with asyncio.timeout(10):
            await heard.wait()
    ((job_id, error),) = told
    assert job_id == job.id
    assert type(error) is expected
    assert failed == [job.id] * attempts
