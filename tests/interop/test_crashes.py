"""A worker of one kind is killed with -9: a worker of the other kind runs its job again."""

from __future__ import annotations

import time

import pytest

from corral.client.queue import QueueClient
from tests.interop.bullmq import Heard, Node, NodeQueue
from tests.interop.conformance.rows import FROM_CORRAL, FROM_NODE, row
from tests.interop.corral_process import corral_process
from tests.interop.corral_worker import corral_worker
from tests.interop.snapshot import Raw

LOCK, STALLED = 1.0, 0.4
#: What a loaded machine may add.
SLACK = 2.0
#: Its holder dies in the first run; the second returns.
SCRIPT = {"script": [{"do": "hang"}, {"do": "return", "value": "second run"}]}
NODE_TIMES = {"lockDuration": round(LOCK * 1000), "stalledInterval": round(STALLED * 1000)}


async def _start_and_kill(doomed: Node, bull: NodeQueue) -> None:
    """Let another Node process start the job, and kill it in the middle."""
    worker = NodeQueue(doomed, bull.url, bull.prefix, bull.name)
    await worker.call("startWorker", worker="doomed", opts=NODE_TIMES)
    await doomed.call("waitRan", worker="doomed", count=1, timeout=10_000)
    doomed.kill9()


@row("stalled", FROM_NODE)
@pytest.mark.port
async def test_corral_recovers_the_job_of_a_killed_node_worker(
    node: Node, bull: NodeQueue, ours: QueueClient, heard: Heard
) -> None:
    """Corral finds the lock run out, returns the job and runs it; no attempt is spent on the crash."""
    handle = await ours.enqueue("hangs", SCRIPT, attempts=1)
    with Node(node.version) as doomed:
        await _start_and_kill(doomed, bull)
    killed = time.monotonic()
    async with corral_worker(
        bull.url, bull.prefix, bull.name, lock_duration=LOCK, stalled_interval=STALLED
    ) as worker:
        assert await handle.result(timeout=10) == "second run"
    assert time.monotonic() - killed < LOCK + 2 * STALLED + SLACK
    assert [job.attempts_started for job in worker.ran] == [2]
    job = await handle.wait(timeout=5)
    assert (job.attempts_started, job.attempts_made, job.stalled_count) == (2, 1, 1)
    await heard.until("completed", job_id=handle.id)
    assert await heard.of(handle.id) == [
        "added", "waiting", "active", "waiting", "stalled", "active", "completed",
    ]  # fmt: skip


@row("stalled", FROM_CORRAL)
@pytest.mark.port
async def test_node_recovers_the_job_of_a_killed_corral_worker(
    node: Node, bull: NodeQueue, ours: QueueClient, heard: Heard
) -> None:
    """Nobody renews the locks of a killed Corral worker, so that Node returns its job and runs it."""
    job_id = await bull.add("hangs", SCRIPT)
    with corral_process(bull.url, bull.prefix, bull.name, lock=LOCK, stalled=STALLED) as doomed:
        await heard.until("active", job_id=job_id)
        doomed.kill9()
    await bull.call("startWorker", worker="w", opts=NODE_TIMES)
    await heard.until("completed", job_id=job_id, within=10)
    [ran] = await node.call("workerRan", worker="w")
    assert (ran["id"], ran["attemptsStarted"]) == (job_id, 2)
    job = await ours.get(job_id)
    assert job is not None
    assert (job.returnvalue, job.attempts_made, job.stalled_count) == ("second run", 1, 1)


@row("stalled-too-often", FROM_NODE)
@pytest.mark.port
async def test_a_job_that_stalls_too_often_fails(
    node: Node, bull: NodeQueue, ours: QueueClient, heard: Heard
) -> None:
    """With max_stalled=0 Corral fails the job of a killed Node worker without running it, as BullMQ does."""
    job_id = await bull.add("hangs", SCRIPT, attempts=3)
    with Node(node.version) as doomed:
        await _start_and_kill(doomed, bull)
    options = {"lock_duration": LOCK, "stalled_interval": STALLED, "max_stalled": 0}
    async with corral_worker(bull.url, bull.prefix, bull.name, **options) as worker:
        await heard.until("failed", job_id=job_id, within=10)
    assert worker.ran == []
    assert (await bull.job(job_id))["failedReason"] == "job stalled more than allowable limit"
    assert await bull.state(job_id) == "failed"


@row("lock-stolen", FROM_CORRAL)
@pytest.mark.port
async def test_a_run_that_lost_its_job_records_nothing(
    bull: NodeQueue, ours: QueueClient, heard: Heard, raw: Raw
) -> None:
    """A job that was returned while Corral ran it belongs to the next run, Node's; the first one's end is refused."""
    script = {
        "script": [{"do": "gate", "gate": "g", "value": "late"}, {"do": "return", "value": "second run"}]
    }
    handle = await ours.enqueue("gated", script, attempts=1)
    async with corral_worker(bull.url, bull.prefix, bull.name, concurrency=1) as worker:
        await heard.until("active", job_id=handle.id)
        await _return(raw, f"{bull.prefix}:{bull.name}:", handle.id)
        await bull.call("startWorker", worker="w", opts={})
        assert await handle.result(timeout=10) == "second run"
        worker.gates["g"].set()
        # The slot is free again: the first run's end was answered.
        await ours.enqueue("next", {})
        await ours.enqueue("next", {})
        await heard.until("completed", count=3)
    assert (await bull.job(handle.id))["returnvalue"] == "second run"
    assert (await heard.of(handle.id)).count("completed") == 1


async def _return(raw: Raw, base: str, job_id: str) -> None:
    """Do what a stalled check does when it finds no lock."""
    async with raw.pipeline(transaction=True) as steps:
        steps.delete(f"{base}{job_id}:lock").lrem(f"{base}active", 1, job_id)
        await steps.rpush(f"{base}wait", job_id).execute()
