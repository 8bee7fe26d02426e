"""A job is cancelled while it runs: its handler leaves at once, and it ends no other way."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from corral import (
    BlockingContext,
    Client,
    Context,
    FailureKind,
    InProcess,
    InThread,
    JobCancelled,
    JobHandle,
    JobState,
    Queue,
    Snooze,
    SyncClient,
    Task,
    TaskSet,
    Worker,
    task,
)
from corral.client.queue import QueueClient
from corral.engine.keys import QueueKeys
from corral.engine.record import Claimed
from corral.worker.canceller import MOST_REMEMBERED, Canceller
from corral.worker.run import Cause, Run
from tests.faults.worker_program import linger_in_process

BOUND = 0.5
"""Seconds within which a running handler is to know."""


class Slow:
    """A handler that stays until it is told to leave."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.left: list[tuple[float, bool]] = []

    async def __call__(self, _: int, ctx: Context) -> None:
        """Stay; say when it was told, and whether its signal was set."""
        self.begun.set()
        try:
            await asyncio.sleep(60)  # a slow handler
        except asyncio.CancelledError:
            self.left.append((time.monotonic(), ctx.cancelled.is_set()))
            raise


def slow_queue(name: str, handler: Any) -> Queue:
    """A queue with one task, `slow`."""
    tasks = Queue(name, attempts=3)

    @tasks.task(name="slow")
    async def slow(payload: int, ctx: Context) -> None:
        await handler(payload, ctx)

    return tasks


async def check_cancelled(queue: QueueClient, job: JobHandle[Any], reason: str = "cancelled: stop") -> None:
    """It has failed for good, and says why to whoever waits for it."""
    with pytest.raises(JobCancelled, match="stop"):
        await job.result(timeout=10)
    found = await queue.get(job.id)
    assert found is not None
    assert (found.state, found.failed_reason) == (JobState.FAILED, reason)
    assert (found.failure_kind, found.attempts_made) == (FailureKind.CANCELLED, 1)


async def test_an_async_handler_knows_within_half_a_second(
    client: Client, queue: QueueClient, queue_name: str
) -> None:
    """It gets a real `CancelledError`, with its signal set; no attempt follows. Measured over several jobs."""
    slow, waits = Slow(), []
    async with Worker(slow_queue(queue_name, slow), client=client):
        for _ in range(5):
            slow.begun.clear()
            job = await queue.enqueue("slow", 1)
            await asyncio.wait_for(slow.begun.wait(), 10)
            asked = time.monotonic()
            assert not await job.cancel("stop")
            await check_cancelled(queue, job)
            waits.append(slow.left[-1][0] - asked)
    assert [was_set for _, was_set in slow.left] == [True] * 5
    assert sorted(waits)[2] < BOUND, waits


async def test_another_process_may_cancel_it(
    client: Client, queue: QueueClient, queue_name: str, redis_url: str, prefix: str
) -> None:
    """Whoever knows its id: here a blocking client with connections of its own."""
    slow = Slow()
    async with Worker(slow_queue(queue_name, slow), client=client):
        job = await queue.enqueue("slow", 1)
        await asyncio.wait_for(slow.begun.wait(), 10)
        with SyncClient(redis_url, prefix=prefix) as other:
            assert not await asyncio.to_thread(other.queue(queue_name).job(job.id).cancel, "stop")
        await check_cancelled(queue, job)


async def test_a_thread_sees_its_signal(client: Client, queue: QueueClient, queue_name: str) -> None:
    """It cannot be stopped from outside: its job ends at once, the thread when it looks."""
    tasks, begun, told = Queue(queue_name), threading.Event(), threading.Event()

    @tasks.task(name="slow", run=InThread)
    def slow(_: int, ctx: BlockingContext) -> None:
        begun.set()
        if ctx.cancelled.wait(30):
            told.set()

    async with Worker(tasks, client=client):
        job = await queue.enqueue("slow", 1)
        assert await asyncio.to_thread(begun.wait, 10)
        await job.cancel("stop")
        await check_cancelled(queue, job)
        assert await asyncio.to_thread(told.wait, 10)


async def test_a_process_is_killed(
    client: Client, queue: QueueClient, queue_name: str, tmp_path: Path
) -> None:
    """After a moment's grace; it is dead before its job ends."""

    class Tasks(TaskSet, queue=queue_name):
        linger: Task[str, None] = task("linger")

    told = tmp_path / "pid"
    async with Worker(Tasks(linger=InProcess(linger_in_process)), client=client):
        job = await Tasks.linger.enqueue(client, str(told))
        while not (told.exists() and told.read_text()):
            assert await job.state() in (JobState.WAITING, JobState.ACTIVE)
        await job.cancel("stop")
        await check_cancelled(queue, job)
        assert not psutil.pid_exists(int(told.read_text()))


@pytest.mark.parametrize("leaves", ["returns", "raises", "snoozes"])
async def test_whatever_its_handler_makes_of_it(
    client: Client, queue: QueueClient, queue_name: str, leaves: str
) -> None:
    """A handler that swallows its cancellation, and ends in a way of its own, was cancelled nevertheless."""
    begun, errors = asyncio.Event(), list[BaseException]()

    async def sly(_: int, ctx: Context) -> None:
        begun.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)  # a slow handler
        if leaves != "returns":
            raise Snooze(1) if leaves == "snoozes" else ValueError("boom")

    worker = Worker(
        slow_queue(queue_name, sly), client=client, on_exhausted=lambda job, error: errors.append(error)
    )
    async with worker:
        job = await queue.enqueue("slow", 1)
        await asyncio.wait_for(begun.wait(), 10)
        await job.cancel("stop")
        await check_cancelled(queue, job)
    assert [type(error) for error in errors] == [JobCancelled]


async def test_a_handler_that_does_not_leave_is_abandoned(
    client: Client, queue: QueueClient, queue_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its job ends without it, and its slot is free."""
    monkeypatch.setattr("corral.worker.queue_service.STUCK_GRACE", 0.1)
    begun, leave = asyncio.Event(), asyncio.Event()

    async def stuck(_: int, ctx: Context) -> None:
        begun.set()
        while not leave.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await leave.wait()

    worker = Worker(slow_queue(queue_name, stuck), client=client, concurrency=1)
    async with worker:
        job = await queue.enqueue("slow", 1)
        await asyncio.wait_for(begun.wait(), 10)
        await job.cancel("stop")
        await check_cancelled(queue, job)
        assert worker.jobs_in_hand == 0
        leave.set()


async def test_an_order_that_is_lost(
    client: Client,
    queue: QueueClient,
    queue_name: str,
    raw: Any,
    prefix: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A worker that was away, or whose orders were trimmed, looks at the jobs that it has in hand."""
    monkeypatch.setattr("corral.worker.order_reader.LOOK_SECONDS", 0.2)
    slow = Slow()
    async with Worker(slow_queue(queue_name, slow), client=client):
        job = await queue.enqueue("slow", 1)
        await asyncio.wait_for(slow.begun.wait(), 10)
        key = f"{prefix}:{queue_name}:{job.id}"
        await raw.hset(key, mapping={"defa": "cancelled: stop", "corral.failure": "cancelled"})
        await check_cancelled(queue, job)


async def test_a_worker_that_starts_later(client: Client, queue: QueueClient, queue_name: str) -> None:
    """A job that waits is failed at once and starts nowhere; one of the same id that comes later runs."""
    slow, done = Slow(), list[int]()

    async def count(payload: int, ctx: Context) -> None:
        done.append(payload)

    job = await queue.enqueue("slow", 1, job_id="j")
    assert await job.cancel("stop")
    await job.remove()
    again = await queue.enqueue("slow", 2, job_id="j")
    async with Worker(slow_queue(queue_name, count), client=client):
        await again.result(timeout=10)
    assert (done, slow.left) == ([2], [])


@pytest.mark.parametrize("kind", ["cancelled", "superseded"])
async def test_a_marked_job_that_is_claimed(
    client: Client, queue: QueueClient, queue_name: str, raw: Any, prefix: str, kind: str
) -> None:
    """It was deep in a long line, or its worker died: it fails without its handler, and callbacks hear of what kind."""
    slow, errors = Slow(), list[BaseException]()
    reason = "superseded by 7" if kind == "superseded" else "cancelled: stop"
    job = await queue.enqueue("slow", 1)
    await raw.hset(f"{prefix}:{queue_name}:{job.id}", mapping={"defa": reason, "corral.failure": kind})
    tasks = slow_queue(queue_name, slow)
    async with Worker(tasks, client=client, on_failed=lambda job, error: errors.append(error)):
        with pytest.raises(JobCancelled) as raised:
            await job.result(timeout=10)
    assert not slow.begun.is_set()
    assert [str(error) for error in errors] == [str(raised.value)]
    assert raised.value.superseded_by == ("7" if kind == "superseded" else None)


async def test_only_that_run(client: Client, queue: QueueClient, queue_name: str) -> None:
    """Of two workers and their runs, the one that is meant."""
    first, second = Slow(), Slow()
    handlers = {1: first, 2: second}

    async def chosen(payload: int, ctx: Context) -> None:
        await handlers[payload](payload, ctx)

    workers = [Worker(slow_queue(queue_name, chosen), client=client, concurrency=1, grace=0) for _ in "ab"]
    async with workers[0], workers[1]:
        jobs = [await queue.enqueue("slow", number) for number in handlers]
        for slow in handlers.values():
            await asyncio.wait_for(slow.begun.wait(), 10)
        await jobs[0].cancel("stop")
        await check_cancelled(queue, jobs[0])
        assert await jobs[1].state() is JobState.ACTIVE
        assert second.left == []


# --- orders that are faster than the reply to the claim


def canceller() -> tuple[Canceller, set[Run], list[tuple[Run, Cause]]]:
    """One without a server, what runs, and what was interrupted."""
    runs, interrupted = set[Run](), list[tuple[Run, Cause]]()
    made = Canceller(QueueKeys("p", "q"), lambda: runs, lambda run, cause: interrupted.append((run, cause)))
    return made, runs, interrupted


def a_run(wire_id: bytes, starts: int = 1) -> Run:
    """A run of a job."""
    fields = {"name": b"n", "data": b"1", "opts": None, "starts": starts, "made": None, "timestamp": b"5"}
    rest = ("delay", "priority", "stalls", "deferred", "schedule", "parent_key", "deduplication")
    return Run(Claimed(**fields, **dict.fromkeys(rest), wire_id=wire_id), "t")  # type: ignore[arg-type]


def order(job: str, fence: str) -> dict[str, str]:
    """An order as it is read."""
    return {"order": "cancel", "job": job, "fence": fence, "reason": "cancelled"}


def test_an_order_that_comes_before_its_run() -> None:
    """It is remembered, for that very run and no other."""
    made, _, interrupted = canceller()
    made.take(order("j", "2:5"))
    first, second = a_run(b"j"), a_run(b"j", starts=2)
    made.begun(first)
    assert interrupted == []
    made.begun(second)
    made.begun(second)
    assert interrupted == [(second, Cause.CANCELLED)]
    assert second.reason == "cancelled"


def test_not_too_many_are_remembered() -> None:
    """Most are for the other workers of the queue: the oldest are forgotten."""
    made, _, interrupted = canceller()
    for number in range(MOST_REMEMBERED + 1):
        made.take(order(f"j{number}", "1:5"))
    made.begun(a_run(b"j0"))
    assert interrupted == []
    made.begun(a_run(b"j1"))
    assert len(interrupted) == 1
