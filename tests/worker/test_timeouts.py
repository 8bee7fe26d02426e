"""A timeout is real: the job is settled in time, whatever its handler does."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from pathlib import Path

import psutil
import pytest

from corral import (
    BlockingContext,
    Client,
    Context,
    InProcess,
    InThread,
    JobFailed,
    JobState,
    Queue,
    Task,
    TaskSet,
    Worker,
    task,
)
from corral.client.queue import QueueClient
from tests.faults.worker_program import linger_in_process


async def test_an_async_handler_is_cancelled(client: Client, queue_name: str) -> None:
    """It sees its cancel signal and a `CancelledError`; the attempt fails with the timeout as reason."""
    tasks, ended = Queue(queue_name, attempts=1), []

    @tasks.task(timeout=0.1)
    async def slow(_: int, ctx: Context) -> None:
        try:
            await asyncio.sleep(30)  # a slow handler
        finally:
            ended.append(ctx.cancelled.is_set())

    async with Worker(tasks, client=client):
        with pytest.raises(JobFailed, match=r"within 0\.1 s"):
            await (await slow.enqueue(client, 1)).result(timeout=10)
    assert ended == [True]


async def test_a_thread_is_left_to_itself(client: Client, queue_name: str) -> None:
    """A thread cannot be killed: its job is settled in time, and it may notice by its cancel signal."""
    tasks, told = Queue(queue_name, attempts=1), threading.Event()

    @tasks.task(timeout=0.1, run=InThread)
    def slow(_: int, ctx: BlockingContext) -> None:
        if ctx.cancelled.wait(10):
            told.set()

    async with Worker(tasks, client=client):
        began = time.monotonic()
        with pytest.raises(JobFailed, match=r"within 0\.1 s"):
            await (await slow.enqueue(client, 1)).result(timeout=10)
        assert time.monotonic() - began < 5
        assert await asyncio.to_thread(told.wait, 5)


async def test_a_handler_that_returns_all_the_same(client: Client, queue_name: str) -> None:
    """A handler that swallows its cancellation and returns has timed out nevertheless."""
    tasks = Queue(queue_name, attempts=1)

    @tasks.task(timeout=0.1)
    async def sly(_: int) -> str:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(30)  # a slow handler
        return "done anyway"

    async with Worker(tasks, client=client):
        with pytest.raises(JobFailed, match=r"within 0\.1 s"):
            await (await sly.enqueue(client, 1)).result(timeout=10)


async def test_a_handler_that_does_not_end_is_abandoned(
    client: Client, queue: QueueClient, queue_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A handler that ignores its cancellation loses its job and its slot after a while: both are used again."""
    monkeypatch.setattr("corral.worker.queue_service.STUCK_GRACE", 0.1)
    tasks, leave = Queue(queue_name, attempts=1), asyncio.Event()

    @tasks.task(timeout=0.1)
    async def stuck(_: int) -> None:
        while not leave.is_set():
            try:
                await leave.wait()
            except asyncio.CancelledError:
                continue

    @tasks.task
    async def fine(number: int) -> int:
        return number

    worker = Worker(tasks, client=client, concurrency=1)
    async with worker:
        with pytest.raises(JobFailed, match=r"within 0\.1 s"):
            await (await stuck.enqueue(client, 1)).result(timeout=10)
        assert await (await fine.enqueue(client, 2)).result(timeout=10) == 2
        assert worker.jobs_in_hand == 0
        leave.set()
    assert (await queue.counts())[JobState.FAILED] == 1


async def test_a_process_is_killed(client: Client, queue_name: str, tmp_path: Path) -> None:
    """A process that takes too long is dead when its job is settled, whatever it was doing."""

    class Tasks(TaskSet, queue=queue_name):
        linger: Task[str, None] = task("linger", attempts=1, timeout=0.3)

    told = tmp_path / "pid"
    async with Worker(Tasks(linger=InProcess(linger_in_process)), client=client):
        with pytest.raises(JobFailed, match=r"within 0\.3 s"):
            await (await Tasks.linger.enqueue(client, str(told))).result(timeout=30)
        assert not psutil.pid_exists(int(told.read_text()))
