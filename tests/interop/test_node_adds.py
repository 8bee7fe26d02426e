"""Node adds, Corral runs: and Node reads what became of it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from corral.client.queue import QueueClient
from tests.interop.bullmq import Heard, NodeError, NodeQueue
from tests.interop.conformance.rows import FROM_CORRAL, FROM_NODE, row, shown_by
from tests.interop.corral_worker import Scripted, corral_worker
from tests.interop.snapshot import Raw

AGAIN = [
    {"do": "throw", "message": "not yet"},
    {"do": "throw", "message": "not yet"},
    {"do": "return", "value": 1},
]


def returning(value: Any) -> dict[str, Any]:
    """Job data whose handler returns `value`."""
    return {"script": [{"do": "return", "value": value}]}


FORMS: dict[str, dict[str, Any]] = {
    "standard": {},
    "custom id": {"jobId": "order-17"},
    "three-part id": {"jobId": "user:17:welcome"},
    "delayed": {"delay": 30},
    "prioritized": {"priority": 3},
    "delayed and prioritized": {"delay": 30, "priority": 3},
    "lifo": {"lifo": True},
    "deduplicated": {"deduplication": {"id": "once"}},
    "throttled": {"deduplication": {"id": "once", "ttl": 60_000}},
    "with all else": {
        "attempts": 3,
        "backoff": 500,
        "stackTraceLimit": 2,
        "keepLogs": 5,
        "removeOnFail": {"age": 60},
    },
}


@row("run", FROM_NODE)
@pytest.mark.parametrize("form", shown_by(FORMS, {"three-part id": "three-part-id"}, FROM_NODE))
@pytest.mark.port
async def test_every_form_of_adding_runs(form: str, bull: NodeQueue, heard: Heard) -> None:
    """Whatever form Node adds a job in, Corral runs it once and Node reads its result."""
    value = {"text": "ü 😀", "list": [1, 2.5, None], "nested": {"empty": {}}}
    async with corral_worker(bull.url, bull.prefix, bull.name) as worker:
        job_id = await bull.add("any name: even this", returning(value), **FORMS[form])
        await heard.until("completed", job_id=job_id)
    [job] = worker.ran
    assert (job.id, job.name, job.attempts_started) == (job_id, "any name: even this", 1)
    assert await bull.state(job_id) == "completed"
    read = await bull.job(job_id)
    assert (read["returnvalue"], read["attemptsMade"], read["attemptsStarted"]) == (value, 1, 1)
    assert read["finishedOn"] >= read["processedOn"] >= read["timestamp"]


@row("bulk", FROM_NODE)
@pytest.mark.port
async def test_a_bulk_runs_in_its_order(bull: NodeQueue, heard: Heard) -> None:
    """Jobs of one addBulk run in their order."""
    jobs = [{"name": f"n{i}", "data": returning(i), "opts": {}} for i in range(50)]
    added = await bull.call("addBulk", jobs=jobs)
    async with corral_worker(bull.url, bull.prefix, bull.name, concurrency=1) as worker:
        await heard.until("completed", count=50)
    assert [job.name for job in worker.ran] == [f"n{i}" for i in range(50)]
    assert [job.id for job in worker.ran] == [job["id"] for job in added]


@row("priority", FROM_NODE)
@row("lifo", FROM_NODE)
@pytest.mark.port
async def test_priorities_run_after_the_rest_and_lowest_first(bull: NodeQueue, heard: Heard) -> None:
    """Jobs without a priority run first, then 1 before 2, equal ones in the order of adding; lifo before all."""
    await bull.add("p2", {}, priority=2)
    await bull.add("p1 first", {}, priority=1)
    await bull.add("plain", {})
    await bull.add("p1 second", {}, priority=1)
    await bull.add("lifo", {}, lifo=True)
    async with corral_worker(bull.url, bull.prefix, bull.name, concurrency=1) as worker:
        await heard.until("completed", count=5)
    assert [job.name for job in worker.ran] == ["lifo", "plain", "p1 first", "p1 second", "p2"]


@row("delay-order", FROM_NODE)
@pytest.mark.port
async def test_delayed_jobs_run_in_the_order_of_their_times(bull: NodeQueue, heard: Heard) -> None:
    """Delayed jobs run when due, never sooner, in the order of their due times."""
    async with corral_worker(bull.url, bull.prefix, bull.name, concurrency=1) as worker:
        jobs = [{"name": f"in {ms}", "data": {}, "opts": {"delay": ms}} for ms in (240, 80, 160)]
        await bull.call("addBulk", jobs=jobs)
        await heard.until("completed", count=3)
    assert [job.name for job in worker.ran] == ["in 80", "in 160", "in 240"]
    for job, time in zip(worker.ran, worker.times, strict=True):
        assert job.timestamp is not None
        assert (time - job.timestamp).total_seconds() * 1000 >= job.opts.delay_ms


@pytest.mark.parametrize(
    ("backoff", "waits"),
    [
        pytest.param(None, [0, 0], marks=row("retry-at-once", FROM_NODE)),
        pytest.param({"type": "fixed", "delay": 40}, [40, 40], marks=row("retry-fixed", FROM_NODE)),
        pytest.param(
            {"type": "exponential", "delay": 40}, [40, 80], marks=row("retry-exponential", FROM_NODE)
        ),
    ],
    ids=["no backoff", "fixed", "exponential"],
)
@pytest.mark.port
async def test_retries_follow_the_backoff_of_the_job(
    backoff: Any, waits: list[int], bull: NodeQueue, heard: Heard
) -> None:
    """Corral retries as the job's own attempts and backoff say, and counts attempts as Node does."""
    async with corral_worker(bull.url, bull.prefix, bull.name) as worker:
        opts = {} if backoff is None else {"backoff": backoff}
        job_id = await bull.add("flaky", {"script": AGAIN}, attempts=3, **opts)
        await heard.until("completed")
    for (one, other), wait in zip(pairwise(worker.times), waits, strict=True):
        assert (other - one).total_seconds() * 1000 >= wait
    job = await bull.job(job_id)
    assert (job["attemptsMade"], job["attemptsStarted"], job["failedReason"]) == (3, 3, "not yet")
    assert len(job["stacktrace"]) == 2


@row("exhausted", FROM_NODE)
@pytest.mark.port
async def test_a_job_that_keeps_failing_ends_in_failed(bull: NodeQueue, heard: Heard) -> None:
    """After its last attempt the job is failed, with Corral's reason and traces, and Node is told of it."""
    async with corral_worker(bull.url, bull.prefix, bull.name):
        job_id = await bull.add("bad", {"script": [{"do": "throw", "message": "never"}]}, attempts=2)
        await heard.until("retries-exhausted")
    job = await bull.job(job_id)
    assert (job["failedReason"], job["attemptsMade"]) == ("never", 2)
    assert "RuntimeError: never" in job["stacktrace"][0]
    assert await bull.counts() == {"failed": 1}


@row("wait-until-finished", FROM_NODE)
async def test_node_waits_for_what_corral_runs(bull: NodeQueue, heard: Heard) -> None:
    """Node's `waitUntilFinished` gives the result that Corral stored, and raises the reason of a failure."""

    async def ended(job_id: str) -> Any:
        return await bull.call("waitUntilFinished", jobId=job_id, events="heard", timeout=10_000)

    async with corral_worker(bull.url, bull.prefix, bull.name):
        good = await bull.add("good", returning([1]))
        bad = await bull.add("bad", {"script": [{"do": "throw", "message": "never"}]})
        assert await ended(good) == [1]
        with pytest.raises(NodeError, match="never"):
            await ended(bad)


@row("unrecoverable", FROM_NODE)
@pytest.mark.port
async def test_unrecoverable_fails_at_once(bull: NodeQueue, heard: Heard) -> None:
    """Unrecoverable leaves the other attempts unused, and says nothing of exhausted retries."""
    async with corral_worker(bull.url, bull.prefix, bull.name) as worker:
        job_id = await bull.add("bad", {"script": [{"do": "unrecoverable", "message": "no use"}]}, attempts=5)
        await heard.until("failed")
    assert len(worker.ran) == 1
    assert (await bull.job(job_id))["failedReason"] == "no use"
    assert "retries-exhausted" not in await heard.names()


@row("snooze", FROM_NODE)
@pytest.mark.port
async def test_snooze_spends_no_attempt(bull: NodeQueue, heard: Heard) -> None:
    """A snoozed job runs again later; Node counts two starts and one attempt."""
    script = [{"do": "snooze", "ms": 30}, {"do": "return", "value": 2}]
    async with corral_worker(bull.url, bull.prefix, bull.name):
        job_id = await bull.add("later", {"script": script})
        await heard.until("completed")
    job = await bull.job(job_id)
    assert (job["attemptsStarted"], job["attemptsMade"], job["returnvalue"]) == (2, 1, 2)


@row("progress", FROM_NODE)
@row("logs", FROM_NODE)
@pytest.mark.port
async def test_progress_and_logs_reach_node(bull: NodeQueue, heard: Heard) -> None:
    """Progress and log lines of a Corral handler are read by Node, and told by its QueueEvents."""
    step = {"do": "return", "value": None, "progress": {"done": 3}, "log": "three done"}
    async with corral_worker(bull.url, bull.prefix, bull.name):
        job_id = await bull.add("reporting", {"script": [step]})
        await heard.until("completed")
    assert (await bull.job(job_id))["progress"] == {"done": 3}
    assert (await bull.call("getJobLogs", jobId=job_id))["logs"] == ["three done"]
    [told] = [entry["fields"]["data"] for entry in await heard.entries() if entry["event"] == "progress"]
    assert told == {"done": 3}


@pytest.mark.parametrize(
    ("keep", "left"),
    [
        pytest.param(True, 0, marks=row("keep-none", FROM_NODE)),
        pytest.param(False, 5, marks=row("keep-all", FROM_NODE)),
        pytest.param(2, 2, marks=row("keep-number", FROM_NODE)),
        pytest.param({"count": 3}, 3, marks=row("keep-count", FROM_NODE)),
        pytest.param({"age": 3600}, 5, marks=row("keep-age", FROM_NODE)),
        pytest.param({"age": 3600, "count": 1}, 1, marks=row("keep-age-count", FROM_NODE)),
    ],
    ids=str,
)
@pytest.mark.port
async def test_completed_jobs_are_kept_as_the_job_says(
    keep: Any, left: int, bull: NodeQueue, heard: Heard, raw: Raw
) -> None:
    """Every form of removeOnComplete that Node stores is followed, keys of removed jobs included."""
    for _ in range(5):
        await bull.add("done", {}, removeOnComplete=keep)
    async with corral_worker(bull.url, bull.prefix, bull.name, concurrency=1):
        await heard.until("completed", count=5)
    assert (await bull.counts()).get("completed", 0) == left
    hashes = [key async for key in raw.scan_iter(match=f"{bull.prefix}:{bull.name}:*") if key[-1].isdecimal()]
    assert len(hashes) == left


@row("keep-failed", FROM_NODE)
@pytest.mark.port
async def test_failed_jobs_are_kept_as_the_job_says(bull: NodeQueue, heard: Heard) -> None:
    """removeOnFail counts failed jobs, apart from completed ones."""
    for _ in range(3):
        await bull.add("bad", {"script": [{"do": "throw", "message": "no"}]}, removeOnFail=1)
    await bull.add("good", {})
    async with corral_worker(bull.url, bull.prefix, bull.name, concurrency=1):
        await heard.until("failed", "completed", count=4)
    assert await bull.counts() == {"failed": 1, "completed": 1}


@row("form-delayed", FROM_NODE)
@pytest.mark.port
async def test_corral_reads_every_field_that_node_wrote(bull: NodeQueue, ours: QueueClient) -> None:
    """A snapshot of a Node job has what Node stored, in Corral's types."""
    job_id = await bull.add(
        "named", {"a": [1, {"b": None}]}, attempts=4, backoff={"type": "exponential", "delay": 1500},
        delay=60_000, priority=7, deduplication={"id": "d"}, removeOnComplete=10,
    )  # fmt: skip
    await bull.call("updateProgress", jobId=job_id, progress=40)
    await bull.call("log", jobId=job_id, row="by node")
    job = await ours.get(job_id)
    assert job is not None
    assert (job.name, job.data, job.state, job.progress) == ("named", {"a": [1, {"b": None}]}, "delayed", 40)
    assert (job.priority, job.delay, job.deduplication_id, job.opts.attempts) == (7, 60_000, "d", 4)
    assert job.opts.backoff is not None
    assert (job.opts.backoff.type, job.opts.backoff.delay_ms) == ("exponential", 1500)
    assert await ours.logs(job_id) == ["by node"]
    assert job.malformed == {}


def _ids(worker: Scripted) -> list[str]:
    return [job.id for job in worker.ran]


@row("pause", FROM_NODE)
@row("pause-add-resume", FROM_NODE)
@pytest.mark.port
async def test_a_queue_paused_by_node_is_left_alone(bull: NodeQueue, heard: Heard, ours: QueueClient) -> None:
    """While Node pauses the queue Corral starts nothing; what either side adds meanwhile runs after resume."""
    async with corral_worker(bull.url, bull.prefix, bull.name) as worker:
        before = await bull.add("before", {})
        await heard.until("completed")
        await bull.call("pause")
        during = await bull.add("during, by node", {})
        handle = await ours.enqueue("during, by corral", {})
        later = await bull.add("delayed", {}, delay=1)
        # A job that comes due is promoted by every fetch, also of a paused queue: so the worker has looked.
        await heard.until("waiting", job_id=later)
        assert _ids(worker) == [before]
        await bull.call("resume")
        await heard.until("completed", count=4)
    assert set(_ids(worker)) == {before, during, handle.id, later}


@row("remove", FROM_CORRAL)
@row("promote", FROM_CORRAL)
@row("update-data", FROM_CORRAL)
@row("retry", FROM_CORRAL)
@pytest.mark.port
async def test_node_removes_and_changes_what_corral_has_not_started(
    bull: NodeQueue, heard: Heard, ours: QueueClient
) -> None:
    """Operators' verbs of Node work on Corral's jobs: remove, promote, updateData, changePriority, retry."""
    gone = await ours.enqueue("gone", {})
    promoted = await ours.enqueue("promoted", {}, delay=3600)
    changed = await ours.enqueue("changed", {"old": 1}, delay=3600, attempts=1)
    await bull.call("remove", jobId=gone.id)
    await bull.call("updateData", jobId=changed.id, data={"script": [{"do": "throw", "message": "once"}]})
    await bull.call("promote", jobId=promoted.id)
    await bull.call("promote", jobId=changed.id)
    async with corral_worker(bull.url, bull.prefix, bull.name) as worker:
        await heard.until("completed", job_id=promoted.id)
        await heard.until("failed", job_id=changed.id)
        await bull.call("updateData", jobId=changed.id, data={})
        await bull.call("retry", jobId=changed.id, state="failed")
        await heard.until("completed", job_id=changed.id)
    assert gone.id not in _ids(worker)
    assert await bull.counts() == {"completed": 2}
