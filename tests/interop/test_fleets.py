"""Workers of both kinds on one queue, and what each side sees of the other."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import Any

import pytest

from corral import Deduplication, Exponential
from corral.client.queue import QueueClient
from tests.interop.bullmq import Heard, NodeQueue
from tests.interop.conformance.rows import BOTH, FROM_CORRAL, row
from tests.interop.corral_worker import corral_worker

TASKS = 1000


@row("run", *BOTH)
@pytest.mark.port
async def test_workers_of_both_kinds_share_a_queue(bull: NodeQueue, ours: QueueClient, heard: Heard) -> None:
    """Every job is run once, by one of them, and both take part."""
    await bull.call("startWorker", worker="w", opts={"concurrency": 2})
    async with corral_worker(bull.url, bull.prefix, bull.name, concurrency=2) as worker:
        jobs = [{"name": "shared", "data": {"n": n}, "opts": {}} for n in range(150)]
        await bull.call("addBulk", jobs=jobs)
        await ours.enqueue_many("shared", [{"n": n} for n in range(150)])
        await heard.until("completed", count=300)
    theirs = [job["id"] for job in await bull.node.call("workerRan", worker="w")]
    mine = [job.id for job in worker.ran]
    assert theirs
    assert mine
    assert len({*theirs, *mine}) == len(theirs) + len(mine) == 300
    ended = Counter(
        entry["fields"]["jobId"] for entry in await heard.entries() if entry["event"] == "completed"
    )
    assert set(ended.values()) == {1}
    assert await bull.counts() == {"completed": 300}


@row("workers", FROM_CORRAL)
async def test_node_sees_corral_workers(bull: NodeQueue) -> None:
    """`getWorkers` lists a running Corral worker, by its name, for as long as it runs."""
    async with corral_worker(bull.url, bull.prefix, bull.name, name="mailer-1"):
        await bull.call("startWorker", worker="w", opts={"name": "node-1"})
        names: set[str] = set()
        async with asyncio.timeout(10):
            while names != {"mailer-1", "node-1"}:  # each is named when it waits for the first time
                names = {worker["rawname"].rpartition(":w:")[2] for worker in await bull.call("getWorkers")}
                await asyncio.sleep(0)  # a call that is answered at once would leave the timeout no turn
    assert len(await bull.call("getWorkers")) == 1


@row("worker-name", FROM_CORRAL)
async def test_node_knows_who_ran_a_job(bull: NodeQueue, heard: Heard) -> None:
    """A job says which Corral worker ran it."""
    async with corral_worker(bull.url, bull.prefix, bull.name, name="mailer-1"):
        job_id = await bull.add("x", {})
        await heard.until("completed")
    assert (await bull.job(job_id))["processedBy"] == "mailer-1"


@row("metrics", FROM_CORRAL)
async def test_metrics_count_for_both(bull: NodeQueue, heard: Heard) -> None:
    """What Corral completes and fails is in the metrics that Node reads."""
    async with corral_worker(bull.url, bull.prefix, bull.name):
        for do in ("return", "return", "unrecoverable"):
            await bull.add("x", {"script": [{"do": do, "message": "no"}]})
        await heard.until("completed", "failed", count=3)
    assert (await bull.call("getMetrics", type="completed"))["meta"]["count"] == 2
    assert (await bull.call("getMetrics", type="failed"))["meta"]["count"] == 1


def _scripts(rng: random.Random) -> tuple[dict[str, Any], int]:
    """A job's data, and how many attempts it needs and gets (more than it needs, or it fails)."""
    retries = rng.choice((0, 0, 0, 1, 2))
    last: dict[str, Any] = rng.choice(
        [{"do": "return", "value": {"n": rng.randrange(10**9)}}] * 8
        + [{"do": "unrecoverable", "message": "no use"}, {"do": "throw", "message": "never"}]
    )
    return {"script": [{"do": "throw", "message": "again"}] * retries + [last]}, retries + 1


_FORMS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"lifo": True}, {"lifo": True}),
    ({"priority": 2}, {"priority": 2}),
    ({"delay": 20}, {"delay": 0.02}),
    ({"delay": 20, "priority": 1}, {"delay": 0.02, "priority": 1}),
    ({"backoff": {"type": "exponential", "delay": 5}}, {"backoff": Exponential(0.005)}),
]


@pytest.mark.port
async def test_a_thousand_mixed_jobs(bull: NodeQueue, ours: QueueClient, heard: Heard) -> None:
    """1,000 jobs of all forms from both producers, run by both workers with retries and failures: each ends once,
    as its script says, and both sides read the same of it."""
    rng = random.Random(17)
    expected: dict[str, tuple[dict[str, Any], int]] = {}
    await bull.call("startWorker", worker="w", opts={"concurrency": 8})
    async with corral_worker(bull.url, bull.prefix, bull.name, concurrency=8) as worker:
        for n in range(TASKS):
            data, attempts = _scripts(rng)
            theirs, mine = rng.choice(_FORMS)
            custom = rng.random() < 0.2
            if n % 2:
                job_id = await bull.add(
                    "mixed", data, attempts=attempts, **theirs, **({"jobId": f"job-{n}"} if custom else {})
                )
            else:
                options = {"backoff": None, "remove_on_complete": False, **mine}
                options |= {"job_id": f"job-{n}"} if custom else {}
                handle = await ours.enqueue("mixed", data, attempts=attempts, **options)
                job_id = handle.id
            expected[job_id] = (data["script"][-1], attempts)
        await heard.until("completed", "failed", count=TASKS, within=40)
    assert len(expected) == TASKS
    ended = Counter(
        entry["fields"]["jobId"]
        for entry in await heard.entries()
        if entry["event"] in ("completed", "failed")
    )
    assert ended == dict.fromkeys(expected, 1)
    assert {job.id for job in worker.ran}
    assert await bull.node.call("workerRan", worker="w")
    await _assert_both_read_it(expected, bull, ours)


async def _assert_both_read_it(
    expected: dict[str, tuple[dict[str, Any], int]], bull: NodeQueue, ours: QueueClient
) -> None:
    theirs: dict[str, dict[str, Any]] = {}
    for start in range(0, TASKS, 250):
        page = await bull.call("getJobs", types=["completed", "failed"], start=start, end=start + 249)
        theirs |= {job["id"]: job for job in page}
    for job_id, (last, attempts) in expected.items():
        mine = await ours.get(job_id)
        assert mine is not None
        node = theirs[job_id]
        succeeded = last["do"] == "return"
        assert mine.state == ("completed" if succeeded else "failed")
        assert mine.returnvalue == node["returnvalue"] == last.get("value")
        reason = mine.failed_reason
        assert (
            reason
            == node.get("failedReason")
            == ("again" if succeeded and attempts > 1 else last.get("message"))
        )
        assert mine.attempts_made == node["attemptsMade"] == attempts
        assert mine.attempts_started == node["attemptsStarted"] == attempts


@row("simple-active", *BOTH)
@pytest.mark.port
async def test_a_job_waits_for_the_owner_of_its_deduplication_id(
    bull: NodeQueue, ours: QueueClient, heard: Heard
) -> None:
    """With both kinds of workers, one deduplication id is held by one job at a time."""
    await bull.call("startWorker", worker="w", opts={"concurrency": 2})
    async with corral_worker(bull.url, bull.prefix, bull.name, concurrency=2):
        created = 0
        for n in range(40):
            if n % 2:
                handle = await ours.enqueue("d", {}, deduplication=Deduplication.simple("d"))
                created += bool(handle.created)
            else:
                await bull.add("d", {}, deduplication={"id": "d"})
        added = (await heard.names()).count("added")
        await heard.until("completed", count=added)
    names = [entry["event"] for entry in await heard.entries() if entry["event"] in ("added", "completed")]
    assert names == ["added", "completed"] * (len(names) // 2)
    assert created <= added
