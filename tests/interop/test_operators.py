"""The operator of one side on the jobs of the other: each verb's effect, and that work goes on afterwards."""

from __future__ import annotations

from datetime import timedelta

import pytest

from corral import Client, Context, Queue, Snooze, Worker
from corral.admin.queue import QueueAdmin
from corral.client.queue import QueueClient
from tests.interop.bullmq import Heard, NodeQueue
from tests.interop.conformance.rows import FROM_CORRAL, FROM_NODE, row
from tests.interop.corral_worker import corral_worker
from tests.interop.snapshot import Raw

ONCE_BAD = {"script": [{"do": "throw", "message": "no"}, {"do": "return", "value": 2}]}
HOUR = 3_600_000


async def _failed(bull: NodeQueue, heard: Heard, count: int) -> list[str]:
    """Jobs of Node that fail in their first run, and return 2 in the second."""
    ids = [await bull.add("bad", ONCE_BAD) for _ in range(count)]
    await bull.call("startWorker", worker="w", opts={})
    await heard.until("failed", count=count)
    return ids


# --- Corral's operator, Node's jobs ------------------------------------------------------------------------


@row("retry", FROM_NODE)
@pytest.mark.port
async def test_corral_retries_what_failed_in_node(
    bull: NodeQueue, operated: QueueAdmin, heard: Heard
) -> None:
    """A retried job runs again in Node, and its failure is forgotten."""
    [job_id] = await _failed(bull, heard, 1)
    await operated.jobs.retry(job_id)
    await heard.until("completed", job_id=job_id)
    job = await bull.job(job_id)
    assert (job["returnvalue"], job["attemptsStarted"]) == (2, 2)


@row("retry-all", FROM_NODE)
@pytest.mark.port
async def test_corral_retries_all_that_failed_in_node(
    bull: NodeQueue, operated: QueueAdmin, heard: Heard
) -> None:
    """All failed jobs run again, each once."""
    await _failed(bull, heard, 5)
    assert await operated.jobs.retry_all() == 5
    await heard.until("completed", count=5)
    assert await bull.counts() == {"completed": 5}


@row("reprocess", FROM_NODE)
@pytest.mark.port
async def test_corral_runs_a_completed_job_again(bull: NodeQueue, operated: QueueAdmin, heard: Heard) -> None:
    """A completed job of Node's is run once more by Node."""
    await bull.call("startWorker", worker="w", opts={})
    job_id = await bull.add("again", {})
    await heard.until("completed", job_id=job_id)
    await operated.jobs.retry(job_id)
    await heard.until("completed", job_id=job_id, count=2)
    assert (await bull.job(job_id))["attemptsStarted"] == 2


@row("promote", FROM_NODE)
@row("promote-all", FROM_NODE)
@pytest.mark.port
async def test_corral_promotes_nodes_jobs(bull: NodeQueue, operated: QueueAdmin, heard: Heard) -> None:
    """One delayed job, then all others, are made ready and run by Node."""
    first, *others = [await bull.add("later", {}, delay=HOUR) for _ in range(4)]
    await operated.jobs.promote(first)
    assert await bull.counts() == {"waiting": 1, "delayed": 3}
    assert await operated.jobs.promote_all() == len(others)
    await bull.call("startWorker", worker="w", opts={})
    await heard.until("completed", count=4)
    assert [job["id"] for job in await bull.call("workerRan", worker="w")] == [first, *others]


@row("change-priority", FROM_NODE)
@row("change-delay", FROM_NODE)
@row("update-data", FROM_NODE)
@pytest.mark.port
async def test_corral_changes_nodes_jobs(bull: NodeQueue, operated: QueueAdmin, heard: Heard) -> None:
    """A new priority, a new delay and new data are what Node runs."""
    plain = await bull.add("plain", {}, priority=5)
    urgent = await bull.add("urgent", {}, priority=9)
    later = await bull.add("later", {"old": 1}, delay=HOUR)
    await operated.jobs.set_priority(urgent, 1)
    await operated.jobs.set_data(later, {"new": 2})
    await operated.jobs.set_delay(later, 0.05)
    await bull.call("startWorker", worker="w", opts={})
    await heard.until("completed", count=3)
    ran = {job["id"]: job["data"] for job in await bull.call("workerRan", worker="w")}
    assert [job_id for job_id in ran if job_id != later] == [urgent, plain]
    assert ran[later] == {"new": 2}
    assert "delayed" in await heard.of(later)


@row("clean", FROM_NODE)
@row("drain", FROM_NODE)
@pytest.mark.port
async def test_corral_cleans_and_drains_nodes_jobs(
    bull: NodeQueue, operated: QueueAdmin, heard: Heard
) -> None:
    """Finished jobs are cleaned, waiting ones drained; Node counts none of them, and runs what comes next."""
    await _failed(bull, heard, 2)
    assert await operated.clean("failed", older_than=0) == 2
    await operated.pause()
    for options in ({}, {"priority": 2}, {"delay": HOUR}):
        await bull.add("waits", {}, **options)
    assert await operated.drain(delayed=True) == 3
    assert await bull.counts() == {}
    await operated.resume()
    job_id = await bull.add("next", {})
    await heard.until("completed", job_id=job_id)


@row("obliterate", FROM_NODE)
@pytest.mark.port
async def test_corral_obliterates_nodes_queue(
    bull: NodeQueue, operated: QueueAdmin, heard: Heard, raw: Raw
) -> None:
    """Nothing is left of a queue of Node's, and a new one of that name works."""
    await _failed(bull, heard, 2)
    await bull.add("later", {}, delay=HOUR, deduplication={"id": "d"})
    await bull.call("stopWorker", worker="w")
    await operated.obliterate()
    assert [key async for key in raw.scan_iter(match=f"{bull.prefix}:{bull.name}:*", count=1000)] == []
    await bull.call("startWorker", worker="w2", opts={})
    await bull.add("next", {})
    await bull.call("waitRan", worker="w2", count=1, timeout=10_000)


@row("orphans", FROM_NODE)
@pytest.mark.port
async def test_corral_finds_nodes_orphans(
    bull: NodeQueue, operated: QueueAdmin, heard: Heard, raw: Raw
) -> None:
    """A job of Node's that is in no state any more is found and removed; all others stay."""
    await _failed(bull, heard, 2)
    lost = await bull.add("lost", {}, delay=HOUR)
    await raw.zrem(f"{bull.prefix}:{bull.name}:delayed", lost)
    assert await operated.orphans() == [lost]
    assert await operated.remove_orphans() == 1
    assert await bull.call("getJob", jobId=lost) is None
    assert await bull.counts() == {"failed": 2}


@row("workers", FROM_NODE)
@row("worker-name", FROM_NODE)
async def test_corral_sees_nodes_workers(bull: NodeQueue, operated: QueueAdmin, heard: Heard) -> None:
    """A Node worker is listed by its name, and its jobs bear it."""
    await bull.call("startWorker", worker="w", opts={"name": "node-1"})
    job_id = await bull.add("x", {})
    await heard.until("completed")
    ran = await operated.jobs.get(job_id)
    assert ran is not None
    assert ran.processed_by == "node-1"
    assert [worker.name for worker in await operated.workers()] == ["node-1"]


@row("state", FROM_NODE)
@row("same-millisecond", FROM_NODE)
@row("form-prioritized", FROM_NODE)
@row("form-standard", FROM_NODE)
@pytest.mark.port
async def test_corral_reads_nodes_states(bull: NodeQueue, ours: QueueClient, heard: Heard) -> None:
    """Corral sees a Node job in the state and with the fields that Node says; and a hundred delayed
    jobs of one millisecond run in their order."""
    ids = {name: await bull.add(name, {"of": name}, **options) for name, options in (
        ("plain", {}), ("later", {"delay": HOUR}), ("urgent", {"priority": 3}))}  # fmt: skip
    expected = {"plain": "waiting", "later": "delayed", "urgent": "prioritized"}
    for name, job_id in ids.items():
        job = await ours.get(job_id)
        assert job is not None
        assert (job.name, job.data, job.state) == (name, {"of": name}, expected[name])
        assert job.priority == (3 if name == "urgent" else 0)
    await bull.call("startWorker", worker="w", opts={"name": "node-1"})
    await heard.until("completed", job_id=ids["plain"])
    await bull.call("stopWorker", worker="w")
    same = [
        {"name": "same", "data": {}, "opts": {"delay": 50, "timestamp": 1_700_000_000_000}}
        for _ in range(100)
    ]
    added = [job["id"] for job in await bull.call("addBulk", jobs=same)]
    async with corral_worker(bull.url, bull.prefix, bull.name, concurrency=1) as worker:
        await heard.until("completed", count=102)
    assert [job.id for job in worker.ran if job.name == "same"] == added


# --- Node's operator, Corral's jobs ------------------------------------------------------------------------


@pytest.fixture
async def failed(bull: NodeQueue, ours: QueueClient, heard: Heard) -> list[str]:
    """Three jobs of Corral's that failed in a Corral worker, which then stopped."""
    handles = await ours.enqueue_many("bad", [ONCE_BAD] * 3, attempts=1)
    async with corral_worker(bull.url, bull.prefix, bull.name):
        await heard.until("failed", count=3)
    return [handle.id for handle in handles]


@row("retry-all", FROM_CORRAL)
@pytest.mark.port
async def test_node_retries_all_of_corrals(failed: list[str], bull: NodeQueue, heard: Heard) -> None:
    """Node's retryJobs makes Corral's failed jobs run again, by Corral."""
    await bull.call("retryJobs")
    async with corral_worker(bull.url, bull.prefix, bull.name):
        await heard.until("completed", count=3)
    assert await bull.counts() == {"completed": 3}


@row("reprocess", FROM_CORRAL)
@pytest.mark.port
async def test_node_runs_a_completed_job_of_corrals_again(
    bull: NodeQueue, ours: QueueClient, heard: Heard
) -> None:
    """Node's retry of a completed job: Corral runs it once more."""
    async with corral_worker(bull.url, bull.prefix, bull.name) as worker:
        handle = await ours.enqueue("again", {}, job_id="order-1")
        await heard.until("completed")
        await bull.call("retry", jobId=handle.id, state="completed")
        await heard.until("completed", count=2)
    assert [job.id for job in worker.ran] == ["order-1"] * 2


@row("promote-all", FROM_CORRAL)
@row("change-priority", FROM_CORRAL)
@pytest.mark.port
async def test_node_promotes_and_reorders_corrals_jobs(
    bull: NodeQueue, ours: QueueClient, heard: Heard
) -> None:
    """promoteJobs makes all delayed jobs ready, changePriority moves one in its line; Corral runs them so."""
    later = [handle.id for handle in await ours.enqueue_many("later", [{}, {}], delay=3600)]
    slow, urgent = [(await ours.enqueue("line", {}, priority=5)).id for _ in range(2)]
    await bull.call("promoteJobs")
    await bull.call("changePriority", jobId=urgent, opts={"priority": 1})
    async with corral_worker(bull.url, bull.prefix, bull.name, concurrency=1) as worker:
        await heard.until("completed", count=4)
    assert [job.id for job in worker.ran] == [*later, urgent, slow]


@row("change-delay", FROM_CORRAL)
async def test_node_changes_corrals_delay(bull: NodeQueue, ours: QueueClient, heard: Heard) -> None:
    """changeDelay makes a job of Corral's due sooner, and a sleeping Corral worker wakes for it."""
    handle = await ours.enqueue("later", {}, delay=3600)
    async with corral_worker(bull.url, bull.prefix, bull.name):
        await bull.call("changeDelay", jobId=handle.id, delay=30)
        await heard.until("completed", job_id=handle.id)


@row("form-standard", FROM_CORRAL)
@row("form-prioritized", FROM_CORRAL)
@row("keep-failed", FROM_CORRAL)
@pytest.mark.port
async def test_node_reads_corrals_forms(bull: NodeQueue, ours: QueueClient, heard: Heard) -> None:
    """What Node reads of a standard and of a prioritized job is what was given; remove_on_fail is followed."""
    plain = await ours.enqueue("plain", {"n": [1]}, attempts=1, remove_on_fail=True)
    urgent = await ours.enqueue("urgent", ONCE_BAD, priority=3, attempts=1, remove_on_fail=True)
    jobs = [await bull.job(handle.id) for handle in (plain, urgent)]
    assert [(job["name"], job["data"], job["priority"]) for job in jobs] == [
        ("plain", {"n": [1]}, 0), ("urgent", ONCE_BAD, 3),
    ]  # fmt: skip
    assert [await bull.state(handle.id) for handle in (plain, urgent)] == ["waiting", "prioritized"]
    await bull.call("startWorker", worker="w", opts={})
    await heard.until("completed", job_id=plain.id)
    await heard.until("failed", job_id=urgent.id)
    assert (await bull.counts()).get("failed", 0) == 0


async def test_a_handler_of_either_side_changes_the_payload(
    bull: NodeQueue, ours: QueueClient, client: Client, heard: Heard
) -> None:
    """What a handler of Corral's sets for the next run of Node's job is what Node runs, and Node's updateData is what
    Corral runs."""
    tasks = Queue(bull.name)

    @tasks.task
    async def step(payload: dict[str, int], ctx: Context) -> int:
        await ctx.set_data({"at": payload["at"] + 1})
        raise Snooze(timedelta(hours=1))

    job_id = await bull.add("step", {"at": 1})
    async with Worker(tasks, client=client):
        await heard.until("delayed", job_id=job_id)
        assert (await bull.job(job_id))["data"] == {"at": 2}
        await bull.call("updateData", jobId=job_id, data={"at": 10})
        await bull.call("promote", jobId=job_id)
        await heard.until("delayed", job_id=job_id, count=2)
    assert (await bull.job(job_id))["data"] == {"at": 11}
    await bull.call("startWorker", worker="w", opts={})
    await bull.call("promote", jobId=job_id)
    await heard.until("completed", job_id=job_id)
    assert [job["data"] for job in await bull.call("workerRan", worker="w")] == [{"at": 11}]
