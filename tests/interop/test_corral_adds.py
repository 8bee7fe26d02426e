"""Corral adds, Node runs: and Corral reads what became of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from corral import Deduplication, Exponential, Fixed, JobFailed, JobGone, Keep
from corral.client.queue import QueueClient
from tests.interop.bullmq import PORT_VERSION, Heard, NodeQueue
from tests.interop.conformance.rows import BOTH, FROM_CORRAL, FROM_NODE, row, shown_by

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
    "custom id": {"job_id": "order-17"},
    "three-part id": {"job_id": "user:17:welcome"},
    "id with a colon": {"job_id": "order:17"},
    "delayed": {"delay": 0.03},
    "at a time": {"run_at": datetime(2020, 1, 1, tzinfo=UTC)},
    "prioritized": {"priority": 3},
    "delayed and prioritized": {"delay": 0.03, "priority": 3},
    "lifo": {"lifo": True},
    "deduplicated": {"deduplication": "once"},
    "throttled": {"deduplication": Deduplication.throttle("once", 60)},
    "with all else": {"attempts": 3, "backoff": Fixed(0.5), "timeout": 30, "remove_on_fail": Keep(age=60)},
}


@row("run", FROM_CORRAL)
@pytest.mark.parametrize("form", shown_by(FORMS, {"three-part id": "three-part-id"}, FROM_CORRAL))
@pytest.mark.port
async def test_every_form_of_adding_runs(form: str, bull: NodeQueue, ours: QueueClient) -> None:
    """Whatever form Corral adds a job in, Node runs it and Corral reads its result."""
    value = {"text": "ü 😀", "list": [1, 2.5, None], "nested": {"empty": {}}}
    await bull.call("startWorker", worker="w", opts={})
    handle = await ours.enqueue("any name: even this", returning(value), **FORMS[form])
    assert handle.created is True
    assert await handle.result(timeout=10) == value
    job = await handle.wait(timeout=5)
    assert (job.state, job.returnvalue, job.attempts_made, job.attempts_started) == ("completed", value, 1, 1)
    [ran] = await bull.node.call("workerRan", worker="w")
    assert (ran["name"], ran["attemptsStarted"]) == ("any name: even this", 1)


@row("bulk", FROM_CORRAL)
@pytest.mark.port
async def test_a_batch_runs_in_its_order(bull: NodeQueue, ours: QueueClient, heard: Heard) -> None:
    """Jobs of one enqueue_many run in their order."""
    handles = await ours.enqueue_many("batch", [returning(i) for i in range(50)])
    await bull.call("startWorker", worker="w", opts={"concurrency": 1})
    await heard.until("completed", count=50)
    ran = await bull.node.call("workerRan", worker="w")
    assert [job["id"] for job in ran] == [handle.id for handle in handles]


@row("priority", FROM_CORRAL)
@row("lifo", FROM_CORRAL)
@pytest.mark.port
async def test_priorities_run_after_the_rest_and_lowest_first(
    bull: NodeQueue, ours: QueueClient, heard: Heard
) -> None:
    """Node finds Corral's jobs in the order that it would give its own."""
    await ours.enqueue("p2", {}, priority=2)
    await ours.enqueue("p1 first", {}, priority=1)
    await ours.enqueue("plain", {})
    await bull.add("p1 second, by node", {}, priority=1)
    await ours.enqueue("p1 third", {}, priority=1)
    await ours.enqueue("lifo", {}, lifo=True)
    await bull.call("startWorker", worker="w", opts={"concurrency": 1})
    await heard.until("completed", count=6)
    ran = [job["name"] for job in await bull.node.call("workerRan", worker="w")]
    assert ran == ["lifo", "plain", "p1 first", "p1 second, by node", "p1 third", "p2"]


@row("delay-order", FROM_CORRAL)
@pytest.mark.port
async def test_delayed_jobs_run_in_the_order_of_their_times(
    bull: NodeQueue, ours: QueueClient, heard: Heard
) -> None:
    """Node wakes for Corral's delayed jobs when they are due, not before, in their order."""
    await bull.call("startWorker", worker="w", opts={"concurrency": 1})
    now = datetime.now(UTC)
    dues = {f"in {ms}": now + timedelta(milliseconds=ms) for ms in (240, 80, 160)}
    for name, due in dues.items():
        await ours.enqueue(name, {}, run_at=due)
    await heard.until("completed", count=3)
    ran = await bull.node.call("workerRan", worker="w")
    assert [job["name"] for job in ran] == ["in 80", "in 160", "in 240"]
    for entry in ran:
        started = (await bull.job(entry["id"]))["processedOn"]
        assert started >= int(dues[entry["name"]].timestamp() * 1000)


@row("same-millisecond", FROM_CORRAL)
@pytest.mark.port
async def test_many_jobs_of_one_millisecond_keep_their_order(
    bull: NodeQueue, ours: QueueClient, heard: Heard
) -> None:
    """Delayed jobs that are due in the same millisecond run in the order in which they were added."""
    handles = await ours.enqueue_many("same time", [{} for _ in range(100)], delay=0.05)
    await bull.call("startWorker", worker="w", opts={"concurrency": 1})
    await heard.until("completed", count=100)
    ran = await bull.node.call("workerRan", worker="w")
    assert [job["id"] for job in ran] == [handle.id for handle in handles]


@pytest.mark.parametrize(
    ("backoff", "waits"),
    [
        pytest.param(None, [0, 0], marks=row("retry-at-once", FROM_CORRAL)),
        pytest.param(Fixed(0.04), [40, 40], marks=row("retry-fixed", FROM_CORRAL)),
        pytest.param(Exponential(0.04), [40, 80], marks=row("retry-exponential", FROM_CORRAL)),
    ],
    ids=["no backoff", "fixed", "exponential"],
)
@pytest.mark.port
async def test_retries_follow_the_backoff_of_the_job(
    backoff: Any, waits: list[int], bull: NodeQueue, ours: QueueClient
) -> None:
    """Node retries as Corral's attempts and backoff say; Corral counts attempts as Node does."""
    await bull.call("startWorker", worker="w", opts={})
    handle = await ours.enqueue("flaky", {"script": AGAIN}, attempts=3, backoff=backoff)
    assert await handle.result(timeout=10) == 1
    starts = [entry["at"] for entry in await bull.node.call("workerRan", worker="w")]
    for (one, other), wait in zip(pairwise(starts), waits, strict=True):
        assert other - one >= wait - 1  # Node's handler notes the time a little after the start
    job = await handle.wait(timeout=5)
    assert (job.attempts_made, job.attempts_started, job.failed_reason) == (3, 3, "not yet")
    if bull.node.version not in PORT_VERSION:  # the port keeps the last trace alone
        assert [stack.splitlines()[0] for stack in job.stacktrace] == ["Error: not yet", "Error: not yet"]


@row("exhausted", FROM_CORRAL)
@row("wait-until-finished", FROM_CORRAL)
@pytest.mark.port
async def test_corrals_default_is_three_attempts(bull: NodeQueue, ours: QueueClient, heard: Heard) -> None:
    """A job without options is tried three times by Node too: the defaults travel with the job."""
    await bull.call("startWorker", worker="w", opts={})
    handle = await ours.enqueue("bad", {"script": [{"do": "throw", "message": "no"}]}, backoff=0.01)
    with pytest.raises(JobFailed, match="no") as failed:
        await handle.result(timeout=10)
    assert failed.value.attempts_made == 3
    await heard.until("retries-exhausted")
    assert await bull.counts() == {"failed": 1}


@row("unrecoverable", FROM_CORRAL)
@pytest.mark.port
async def test_unrecoverable_in_node_fails_at_once(bull: NodeQueue, ours: QueueClient) -> None:
    """A Node processor's UnrecoverableError ends the job for Corral's waiter."""
    await bull.call("startWorker", worker="w", opts={})
    handle = await ours.enqueue("bad", {"script": [{"do": "unrecoverable", "message": "no use"}]}, attempts=5)
    with pytest.raises(JobFailed, match="no use"):
        await handle.result(timeout=10)
    job = await handle.wait(timeout=5)
    assert (job.attempts_made, job.state) == (1, "failed")


@row("progress", FROM_CORRAL)
@row("logs", FROM_CORRAL)
@pytest.mark.port
async def test_progress_and_logs_of_node_are_read(bull: NodeQueue, ours: QueueClient) -> None:
    """Corral reads the progress and the log lines that a Node processor wrote, and hears of the progress."""
    await bull.call("startWorker", worker="w", opts={})
    async with ours.events() as events:
        step = {"do": "return", "value": None, "progress": {"done": 3}, "log": "three done"}
        handle = await ours.enqueue("reporting", {"script": [step]})
        async for event in events:
            if event.name == "progress":
                assert event.data == {"done": 3}
            if event.name == "completed":
                break
    job = await ours.get(handle.id)
    assert job is not None
    assert job.progress == {"done": 3}
    assert await ours.logs(handle.id) == ["three done"]


@pytest.mark.parametrize(
    ("keep", "left"),
    [
        pytest.param(True, 0, marks=row("keep-none", FROM_CORRAL)),
        pytest.param(False, 5, marks=row("keep-all", FROM_CORRAL)),
        pytest.param(2, 2, marks=row("keep-number", FROM_CORRAL)),
        pytest.param(Keep(count=3), 3, marks=row("keep-count", FROM_CORRAL)),
        pytest.param(Keep(age=3600), 5, marks=row("keep-age", FROM_CORRAL)),
        pytest.param(Keep(count=1, age=3600), 1, marks=row("keep-age-count", FROM_CORRAL)),
    ],
    ids=str,
)
@pytest.mark.port
async def test_completed_jobs_are_kept_as_the_job_says(
    keep: Any, left: int, bull: NodeQueue, ours: QueueClient, heard: Heard
) -> None:
    """Node follows every form of remove_on_complete that Corral stores."""
    for _ in range(5):
        await ours.enqueue("done", {}, remove_on_complete=keep)
    await bull.call("startWorker", worker="w", opts={"concurrency": 1})
    await heard.until("completed", count=5)
    assert (await bull.counts()).get("completed", 0) == left


async def test_a_result_arrives_though_the_job_is_removed(bull: NodeQueue, ours: QueueClient) -> None:
    """`result()` works with remove_on_complete=True when the wait began before Node finished the job."""
    await bull.call("startWorker", worker="w", opts={})
    handle = await ours.enqueue("gone", returning([1]), remove_on_complete=True, delay=0.2)
    assert await handle.result(timeout=10) == [1]
    with pytest.raises(JobGone):
        await handle.wait(timeout=5)


@row("form-delayed", FROM_CORRAL)
@row("state", FROM_CORRAL)
@pytest.mark.port
async def test_node_reads_every_field_that_corral_wrote(bull: NodeQueue, ours: QueueClient) -> None:
    """Job.fromId of a Corral job has what was given, in Node's types."""
    handle = await ours.enqueue(
        "named", {"a": [1, {"b": None}]}, attempts=4, backoff=Exponential(1.5, jitter=0.25), delay=60, priority=7,
        deduplication=Deduplication.simple("d"), remove_on_complete=10, job_id="order-7",
    )  # fmt: skip
    job = await bull.job(handle.id)
    assert (job["id"], job["name"], job["data"]) == ("order-7", "named", {"a": [1, {"b": None}]})
    assert (job["delay"], job["priority"], job["deduplicationId"]) == (60_000, 7, "d")
    assert job["opts"]["backoff"] == {"type": "exponential", "delay": 1500, "jitter": 0.25}
    assert (job["opts"]["attempts"], job["opts"]["removeOnComplete"], job["opts"]["jobId"]) == (
        4,
        10,
        "order-7",
    )
    assert job["opts"]["deduplication"] == {"id": "d"}
    assert await bull.state(handle.id) == "delayed"
    assert [one["id"] for one in await bull.call("getJobs", types=["delayed"], start=0, end=-1)] == [
        "order-7"
    ]


@row("remove", FROM_NODE)
@pytest.mark.port
async def test_corral_removes_what_node_added(bull: NodeQueue, ours: QueueClient, heard: Heard) -> None:
    """`remove()` takes a Node job out of whichever state, and Node hears `removed` with that state."""
    ids = [await bull.add("x", {}, **opts) for opts in ({}, {"delay": 60_000}, {"priority": 2})]
    for job_id in ids:
        assert await ours.job(job_id).remove() is True
    assert await ours.job(ids[0]).remove() is False
    await heard.until("removed", count=3)
    told = [entry["fields"]["prev"] for entry in await heard.entries() if entry["event"] == "removed"]
    assert told == ["wait", "delayed", "prioritized"]
    assert await bull.counts() == {}


@row("counts", *BOTH)
@pytest.mark.port
async def test_counts_agree(bull: NodeQueue, ours: QueueClient) -> None:
    """Both sides count the same jobs in the same states."""
    for opts in ({}, {}, {"delay": 60_000}, {"priority": 2}, {"lifo": True}):
        await bull.add("by node", {}, **opts)
    await ours.enqueue_many("by corral", [{}, {}])
    counts = {state.value: n for state, n in (await ours.counts()).items() if n}
    assert counts == {"waiting": 5, "delayed": 1, "prioritized": 1}
    assert await bull.counts() == counts
