"""The rest of what passes from one side to the other: snoozes, stalls, stolen locks, and who listens."""

from __future__ import annotations

import pytest

from corral.client.queue import QueueClient
from tests.interop.bullmq import Heard, NodeQueue
from tests.interop.conformance.rows import FROM_CORRAL, FROM_NODE, row
from tests.interop.corral_process import corral_process
from tests.interop.corral_worker import corral_worker
from tests.interop.snapshot import Raw

LOCK, STALLED = 1.0, 0.4


@row("snooze", FROM_CORRAL)
@pytest.mark.port
async def test_node_snoozes_corrals_job(bull: NodeQueue, ours: QueueClient, heard: Heard) -> None:
    """A job of Corral's that Node's processor puts off runs again; Corral counts two starts and one attempt."""
    await bull.call("startWorker", worker="w", opts={})
    script = [{"do": "snooze", "ms": 30}, {"do": "return", "value": 2}]
    handle = await ours.enqueue("later", {"script": script})
    assert await handle.result(timeout=10) == 2
    job = await handle.wait(timeout=5)
    assert (job.attempts_started, job.attempts_made) == (2, 1)


@row("stalled-too-often", FROM_CORRAL)
@pytest.mark.port
async def test_node_fails_what_stalled_too_often_in_corral(
    bull: NodeQueue, ours: QueueClient, heard: Heard
) -> None:
    """A job whose Corral worker was killed is failed by a Node worker that allows no stall, without a run."""
    handle = await ours.enqueue("hangs", {"script": [{"do": "hang"}]}, attempts=3)
    with corral_process(bull.url, bull.prefix, bull.name, lock=LOCK, stalled=STALLED) as doomed:
        await heard.until("active", job_id=handle.id)
        doomed.kill9()
    times = {
        "lockDuration": round(LOCK * 1000),
        "stalledInterval": round(STALLED * 1000),
        "maxStalledCount": 0,
    }
    await bull.call("startWorker", worker="w", opts=times)
    await heard.until("failed", job_id=handle.id)
    assert await bull.call("workerRan", worker="w") == []
    job = await handle.wait(timeout=5)
    assert (job.state, job.failed_reason) == ("failed", "job stalled more than allowable limit")


@row("lock-stolen", FROM_NODE)
@pytest.mark.port
async def test_a_run_of_node_that_lost_its_job_records_nothing(
    bull: NodeQueue, ours: QueueClient, heard: Heard, raw: Raw
) -> None:
    """A job that Corral was given while Node still ran it has Corral's outcome: Node's late one is refused."""
    late = {"do": "gate", "gate": bull.name, "value": "late"}
    await bull.call("startWorker", worker="w", opts={})
    job_id = await bull.add("gated", {"script": [late, {"do": "return", "value": "second run"}]})
    await heard.until("active", job_id=job_id)
    base = f"{bull.prefix}:{bull.name}:"
    await bull.call("pause")  # so that Node does not take it again
    async with raw.pipeline(transaction=True) as steps:
        steps.delete(f"{base}{job_id}:lock").lrem(f"{base}active", 1, job_id).hdel(f"{base}meta", "paused")
        await steps.rpush(f"{base}wait", job_id).execute()
    async with corral_worker(bull.url, bull.prefix, bull.name):
        await heard.until("completed", job_id=job_id)
        await bull.call("openGate", gate=bull.name)
        await bull.call("stopWorker", worker="w")
    job = await ours.get(job_id)
    assert job is not None
    assert job.returnvalue == "second run"
    assert (await heard.of(job_id)).count("completed") == 1


@row("events", FROM_NODE)
@pytest.mark.port
async def test_corral_hears_what_node_hears(bull: NodeQueue, ours: QueueClient, heard: Heard) -> None:
    """Corral's subscriber is told of Node's work the same events, in the same order, as a QueueEvents of Node's."""
    scripts = [{"do": "return", "value": 1, "progress": 5}, {"do": "unrecoverable", "message": "no"}]
    told: list[tuple[str, str | None]] = []
    async with ours.events() as events:
        await bull.call("startWorker", worker="w", opts={"concurrency": 1})
        for step in scripts:
            await bull.add("x", {"script": [step]}, attempts=2)
        async for event in events:
            told.append((event.name, event.job_id))
            if event.name == "failed":
                break
    await heard.until("failed")
    theirs = [(entry["event"], entry["fields"].get("jobId")) for entry in await heard.entries()]
    assert told == theirs[: len(told)]
    assert {"added", "waiting", "active", "progress", "completed", "failed"} <= {name for name, _ in told}
