"""The metrics of a worker: what it settles, each once, and with labels that nobody outside can multiply."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest
import redis.asyncio

from corral import Client, JobCancelled, JobFailed, Queue, Unrecoverable, Worker
from corral.contracts.observer import SettledRun
from corral.instrumentation.worker_metrics import UNKNOWN, WorkerMetrics
from tests.instrumentation.scraped import Scraped


def measured(metrics: WorkerMetrics) -> Scraped:
    """Look, as Prometheus does."""
    return Scraped(metrics.text())


@pytest.fixture
def tasks(queue_name: str) -> Queue:
    """Tasks that end in several ways."""
    tasks = Queue(queue_name, attempts=2, backoff=None)

    @tasks.task
    async def succeed(number: int) -> int:
        return number

    @tasks.task
    async def fail(number: int) -> None:
        raise ValueError(number)

    @tasks.task
    async def refuse(number: int) -> None:
        raise Unrecoverable("no")

    return tasks


async def end_all(client: Client, queue: str, names: list[tuple[str, Any]]) -> None:
    """Add jobs by name, and wait until each has ended."""
    handles = [
        await client.queue(queue).enqueue(name, payload, attempts=2, backoff=0.01) for name, payload in names
    ]
    for handle in handles:
        with contextlib.suppress(JobFailed):
            await handle.result(timeout=30)


async def test_runs_by_outcome(client: Client, tasks: Queue, queue_name: str) -> None:
    """Each run counts once, under what became of it: completed, retried, or the kind of the failure."""
    worker = Worker(tasks, client=client)
    metrics = WorkerMetrics(worker)
    async with worker:
        await end_all(
            client, queue_name, [("succeed", 1), ("succeed", 2), ("fail", 1), ("refuse", 1), ("succeed", "x")]
        )
    seen, name = measured(metrics), "corral_worker_runs_total"
    assert seen.value(name, queue=queue_name, task="succeed", outcome="completed") == 2
    assert seen.value(name, task="succeed", outcome="invalid-payload") == 1
    assert seen.value(name, task="fail", outcome="retried") == 1
    assert seen.value(name, task="fail", outcome="exhausted") == 1
    assert seen.value(name, task="refuse", outcome="permanent") == 1
    assert seen.value("corral_worker_run_seconds_count", task="fail") == 2
    assert seen.value("corral_worker_wait_seconds_count", task="fail") == 1, "of the first run only"
    assert seen.value("corral_worker_wait_seconds_bucket", task="succeed", le="3600.0") == 3
    assert seen.value("corral_worker_stalled_total", queue=queue_name) == 0


async def test_names_of_strangers_are_one_label(client: Client, tasks: Queue, queue_name: str) -> None:
    """Jobs whose names are no tasks make one series together: whoever may add jobs cannot fill the monitoring."""
    worker = Worker(tasks, client=client)
    metrics = WorkerMetrics(worker)
    async with worker:
        await end_all(client, queue_name, [(f'stranger-{number}\n"}}', 1) for number in range(20)])
    seen = measured(metrics)
    assert seen.labels("corral_worker_runs_total", "task") == {UNKNOWN}
    assert seen.value("corral_worker_runs_total", task=UNKNOWN, outcome="retried") == 20
    assert seen.value("corral_worker_runs_total", task=UNKNOWN, outcome="unknown-task") == 20


async def test_how_busy_it_is(client: Client, queue_name: str) -> None:
    """Jobs in hand, slots, and the age of the last answer, of a worker that runs; nothing of one that does not."""
    tasks, begun, end = Queue(queue_name), asyncio.Event(), asyncio.Event()

    @tasks.task
    async def wait(number: int) -> None:
        begun.set()
        await end.wait()

    worker = Worker(tasks, client=client, concurrency=3)
    metrics = WorkerMetrics(worker)
    assert measured(metrics).value("corral_worker_slots") is None
    assert measured(metrics).value("corral_worker_ready") == 0
    async with worker:
        handle = await wait.enqueue(client, 1)
        await asyncio.wait_for(begun.wait(), 30)
        seen = measured(metrics)
        end.set()
        await handle.result(timeout=30)
    assert seen.value("corral_worker_jobs_in_hand", queue=queue_name) == 1
    assert seen.value("corral_worker_slots", queue=queue_name) == 3
    age = seen.value("corral_worker_fetch_age_seconds", queue=queue_name)
    assert age is not None
    assert 0 <= age < 30
    assert seen.value("corral_worker_ready") == 1


async def test_cancelled_jobs(client: Client, queue_name: str) -> None:
    """A job that is cancelled while it runs has failed for that."""
    tasks, begun = Queue(queue_name), asyncio.Event()

    @tasks.task
    async def wait(number: int) -> None:
        begun.set()
        await asyncio.Event().wait()

    worker = Worker(tasks, client=client)
    metrics = WorkerMetrics(worker)
    async with worker:
        handle = await wait.enqueue(client, 1)
        await asyncio.wait_for(begun.wait(), 30)
        await handle.cancel("not wanted")
        with pytest.raises(JobCancelled):
            await handle.result(timeout=30)
    assert measured(metrics).value("corral_worker_runs_total", outcome="cancelled") == 1


async def test_an_observer_that_raises(client: Client, tasks: Queue, queue_name: str) -> None:
    """What an observer raises is nobody's trouble: the job has ended, and other observers hear of it."""

    class Broken:
        def settled(self, run: SettledRun) -> None:
            raise RuntimeError("broken")

        def stalled(self, queue: str) -> None:
            raise RuntimeError("broken")

    worker = Worker(tasks, client=client)
    worker.observe(Broken())
    metrics = WorkerMetrics(worker)
    async with worker:
        await end_all(client, queue_name, [("succeed", 1)])
    assert measured(metrics).value("corral_worker_runs_total", outcome="completed") == 1


async def test_several_in_one_process(client: Client, tasks: Queue, queue_name: str) -> None:
    """Each worker has metrics of its own: there is no registry of the module."""
    first, second = Worker(tasks, client=client), Worker(tasks, client=client)
    one, other = WorkerMetrics(first), WorkerMetrics(second)
    async with first:
        await end_all(client, queue_name, [("succeed", 1)])
    assert measured(one).value("corral_worker_runs_total", outcome="completed") == 1
    assert measured(other).value("corral_worker_runs_total") is None


async def test_a_stalled_job(
    client: Client, tasks: Queue, queue_name: str, redis_url: str, prefix: str
) -> None:
    """A job whose worker is gone counts where it is found."""
    worker = Worker(tasks, client=client, stalled_interval=0.2)
    metrics = WorkerMetrics(worker)
    handle = await client.queue(queue_name).enqueue("succeed", 1)
    async with redis.asyncio.Redis.from_url(redis_url) as raw:
        base = f"{prefix}:{queue_name}:"
        await raw.lmove(base + "wait", base + "active", "RIGHT", "LEFT")
    async with worker:
        await handle.result(timeout=30)
    assert measured(metrics).value("corral_worker_stalled_total", queue=queue_name) == 1
