"""Stopping: jobs in flight end, or are handed back at once with no attempt spent; and it never takes long."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from corral import BlockingContext, Client, InThread, JobState, Queue, Worker
from corral.client.queue import QueueClient
from tests.faults.fleet import Fleet
from tests.faults.witness import Witness
from tests.servers import ServerProcess


async def until(condition: Callable[[], Any], within: float = 10.0) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.005)  # a slow handler is at work


def slow_tasks(queue_name: str) -> tuple[Queue, asyncio.Event, list[str]]:
    """Tasks that end only when told to, each in a manner of its own; and what they said."""
    tasks, gate, said = Queue(queue_name, attempts=1), asyncio.Event(), []

    @tasks.task
    async def polite(_: int) -> str:
        said.append("start")
        try:
            await gate.wait()
        except asyncio.CancelledError:
            said.append("cancelled")
            raise
        return "done"

    @tasks.task
    async def rude(_: int) -> None:
        said.append("start")
        try:
            await gate.wait()
        except asyncio.CancelledError:
            raise RuntimeError("what was that?") from None

    @tasks.task
    async def deaf(_: int) -> None:
        said.append("start")
        while not gate.is_set():
            try:
                await gate.wait()
            except asyncio.CancelledError:
                continue

    @tasks.task(run=InThread)
    def threaded(_: int, ctx: BlockingContext) -> None:
        said.append("start")
        ctx.cancelled.wait(20)

    return tasks, gate, said


async def test_jobs_in_flight_may_end(client: Client, queue: QueueClient) -> None:
    """After `stop` nothing more is claimed, jobs in flight end within the grace time, and then the worker does."""
    tasks, gate, said = slow_tasks(queue.name)
    jobs = await queue.enqueue_many("polite", [1, 2, 3])
    worker = Worker(tasks, client=client, concurrency=2, grace=20)
    running = asyncio.ensure_future(worker.run())
    await until(lambda: len(said) == 2)
    worker.stop()
    await asyncio.sleep(0)
    gate.set()
    await asyncio.wait_for(running, 10)
    assert [await job.state() for job in jobs] == [JobState.COMPLETED, JobState.COMPLETED, JobState.WAITING]
    assert said == ["start", "start"]


@pytest.mark.parametrize("task", ["polite", "rude", "deaf", "threaded"])
@pytest.mark.parametrize("how", ["grace", "now"])
async def test_the_rest_is_handed_back(
    how: str, task: str, client: Client, queue: QueueClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the grace time is over, or at `stop_now`, handlers are cancelled and their jobs can be claimed at once: no
    lock, no attempt and no stall counted, whatever the handler does about it."""
    monkeypatch.setattr("corral.worker.shutdown.CANCEL_SECONDS", 0.2)
    tasks, gate, said = slow_tasks(queue.name)
    job = await queue.enqueue(task, 1, attempts=1)
    worker = Worker(tasks, client=client, grace=0.1 if how == "grace" else 60)
    running = asyncio.ensure_future(worker.run())
    await until(lambda: said)
    (worker.stop if how == "grace" else worker.stop_now)()
    await asyncio.wait_for(running, 5)
    kept = await queue.get(job.id)
    assert kept is not None
    assert (kept.state, kept.attempts_made, kept.stalled_count) == (JobState.WAITING, 0, 0)
    gate.set()
    other = Queue(queue.name)

    @other.task(name=task)
    async def quick(_: int) -> str:
        return "elsewhere"

    async with Worker(other, client=client):
        assert await job.result(timeout=2) == "elsewhere"


async def test_cancelling_the_worker_hands_jobs_back(client: Client, queue: QueueClient) -> None:
    """Whoever cancels the task that runs the worker gets its jobs handed back as well."""
    tasks, _, said = slow_tasks(queue.name)
    job = await queue.enqueue("polite", 1)
    running = asyncio.ensure_future(Worker(tasks, client=client).run())
    await until(lambda: said)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, 5)
    assert said == ["start", "cancelled"]
    assert await job.state() is JobState.WAITING


async def test_jobs_claimed_while_stopping_are_not_lost(client: Client, queue: QueueClient) -> None:
    """`stop_now` at any moment, also while a claim is under way: every job ends up waiting or completed, soon."""
    tasks = Queue(queue.name)

    @tasks.task
    async def quick(_: int) -> None:
        await asyncio.sleep(0.001)  # a slow handler

    for round_ in range(15):
        await queue.enqueue_many("quick", list(range(30)), attempts=1)
        worker = Worker(tasks, client=client, concurrency=10)
        running = asyncio.ensure_future(worker.run())
        await until(lambda: worker._shift is not None)  # noqa: B023
        for _ in range(round_ * 20):
            await asyncio.sleep(0)
        began = time.monotonic()
        worker.stop_now()
        await asyncio.wait_for(running, 10)
        assert time.monotonic() - began < 2
        counts = await queue.counts()
        assert (counts[JobState.ACTIVE], counts[JobState.FAILED], counts[JobState.DELAYED]) == (0, 0, 0)


async def test_without_a_server_it_ends_all_the_same(
    make_server: Callable[..., ServerProcess], prefix: str, queue_name: str
) -> None:
    """A server that answers no more holds up the end for some seconds only, and not for the grace time."""
    server = make_server()
    tasks, _, _ = slow_tasks(queue_name)
    async with Client(server.url, prefix=prefix) as client:
        worker = Worker(tasks, client=client, grace=60)
        running = asyncio.ensure_future(worker.run())
        await until(lambda: worker.seconds_since_answer is not None)
        server.freeze()
        began = time.monotonic()
        worker.stop()
        await asyncio.wait_for(running, 20)
        assert time.monotonic() - began < 12
        server.thaw()


@pytest.fixture
def fleet(tmp_path: Path, redis_url: str, prefix: str, queue_name: str) -> Iterator[Fleet]:
    """Workers in processes of their own."""
    witness = Witness(tmp_path / "witness")
    made = Fleet(witness, tmp_path, url=redis_url, prefix=prefix, queue=queue_name)
    yield made
    made.close()
    witness.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_first_signal_drains(number: signal.Signals, fleet: Fleet, queue: QueueClient) -> None:
    """SIGTERM and SIGINT let the job in flight end; the worker exits with 0."""
    worker = fleet.start(grace=20).wait_up()
    job = await queue.enqueue("nap", 0.5)
    await asyncio.to_thread(fleet.witness.wait, "start", job.id)
    worker.signal(number)
    assert await asyncio.to_thread(worker.wait) == 0
    assert await job.state() is JobState.COMPLETED
    assert fleet.witness.read("down")


async def test_the_second_signal_is_now(fleet: Fleet, queue: QueueClient) -> None:
    """A second signal hands the job back at once, and the lifespan is left properly."""
    worker = fleet.start(grace=60).wait_up()
    job = await queue.enqueue("nap", 30.0)
    await asyncio.to_thread(fleet.witness.wait, "start", job.id)
    began = time.monotonic()
    worker.signal(signal.SIGINT)
    await until(lambda: "Stopping: no more" in worker.log.read_text())
    worker.signal(signal.SIGINT)
    assert await asyncio.to_thread(worker.wait) == 0
    assert time.monotonic() - began < 5
    kept = await queue.get(job.id)
    assert kept is not None
    assert (kept.state, kept.attempts_made) == (JobState.WAITING, 0)
    assert fleet.witness.read("down")


@pytest.mark.alone
async def test_grace_and_a_stubborn_handler(fleet: Fleet, queue: QueueClient) -> None:
    """With a handler that ignores everything, the process is gone within the grace time and five seconds, and its
    job can be claimed."""
    worker = fleet.start(grace=0.3).wait_up()
    job = await queue.enqueue("stubborn", 30.0)
    await asyncio.to_thread(fleet.witness.wait, "start", job.id)
    began = time.monotonic()
    worker.signal(signal.SIGTERM)
    await asyncio.to_thread(worker.wait)
    assert time.monotonic() - began < 5.3
    assert await job.state() is JobState.WAITING
