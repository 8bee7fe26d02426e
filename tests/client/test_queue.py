"""The untyped door: looking into a queue, in pages."""

from __future__ import annotations

from typing import Any

import pytest
import redis.asyncio

from corral import Client, InvalidJobId, InvalidOption, InvalidQueueName, JobState, Queue, Worker
from corral.client.queue import QueueClient


async def test_a_queue_that_nobody_used_is_empty(queue: QueueClient, client: Client) -> None:
    """Reading creates nothing and fails on nothing."""
    assert set((await queue.counts()).values()) == {0}
    assert await queue.get("no-such-job") is None
    assert await queue.jobs(JobState.COMPLETED) == []
    assert await queue.logs("no-such-job") == []
    assert (await queue.metrics(JobState.FAILED)).total == 0
    assert await queue.paused() is False
    assert await client.queues() == []


@pytest.mark.parametrize("name", ["", "a:b", "a\n", "x" * 201])
async def test_a_bad_name_is_refused(client: Client, name: str) -> None:
    """At `client.queue(name)`, before anything is sent."""
    with pytest.raises(InvalidQueueName):
        client.queue(name)


async def test_each_state_is_counted_and_listed(queue: QueueClient, worker: Worker) -> None:
    """`counts` and `jobs` agree on where each job is."""
    async with worker:
        await (await queue.enqueue("double", 1)).wait(timeout=30)
        await (await queue.enqueue("fail", "why", attempts=1)).wait(timeout=30)
    await queue.enqueue("double", 2, delay=60)
    await queue.enqueue("double", 3, priority=5)
    await queue.enqueue("double", 4)
    counts = await queue.counts()
    for state in ("completed", "failed", "delayed", "prioritized", "waiting"):
        assert counts[JobState(state)] == 1
        (job,) = await queue.jobs(state)
        assert job.state == state
        assert await queue.get(job.id) == job
    assert counts[JobState.ACTIVE] == 0


async def test_pages_follow_each_other(queue: QueueClient) -> None:
    """Waiting jobs are listed in the order in which they will run; pages neither overlap nor leave gaps."""
    await queue.enqueue_many("job", list(range(50)))
    await queue.enqueue("job", "first", lifo=True)
    pages = [await queue.jobs(JobState.WAITING, start=start, limit=20) for start in (0, 20, 40, 60)]
    assert [len(page) for page in pages] == [20, 20, 11, 0]
    assert [job.data for page in pages for job in page] == ["first", *range(50)]


async def test_finished_jobs_are_listed_newest_first(queue: QueueClient, worker: Worker) -> None:
    """A page of completed jobs begins with the last one."""
    async with worker:
        for number in range(3):
            await (await queue.enqueue("double", number)).result(timeout=30)
    assert [job.data for job in await queue.jobs("completed")] == [2, 1, 0]


@pytest.mark.parametrize("state", ["finished", "", "unknown"])
async def test_a_state_that_cannot_be_listed_is_refused(queue: QueueClient, state: str) -> None:
    """A typed error that names the states there are."""
    with pytest.raises(InvalidOption, match="waiting") as refused:
        await queue.jobs(state)
    assert refused.value.option == "state"


async def test_metrics_are_of_finished_jobs(queue: QueueClient, worker: Worker) -> None:
    """Completed and failed jobs are counted, others are not."""
    async with worker:
        await (await queue.enqueue("double", 1)).result(timeout=30)
    assert (await queue.metrics("completed")).total == 1
    with pytest.raises(InvalidOption, match="completed"):
        await queue.metrics("waiting")


async def test_log_lines_come_in_pages(queue: QueueClient, worker: Worker) -> None:
    """The oldest first; a page of nothing is nothing, and what is no place raises, as in all pages."""
    lines = [f"line {number}" for number in range(10)]
    async with worker:
        job = await queue.enqueue("tell", lines)
        await job.wait(timeout=30)
    assert await queue.logs(job.id) == lines
    assert await queue.logs(job.id, start=4, limit=3) == lines[4:7]
    assert await queue.logs(job.id, limit=0) == []
    assert await queue.jobs("completed", limit=0) == []
    assert (await queue.metrics("completed", limit=0)).minutes == []
    wrong: list[Any] = [{"start": -3}, {"limit": -1}, {"limit": True}, {"start": 1.5}, {"limit": "5"}]
    for page in wrong:
        with pytest.raises(InvalidOption, match="whole number from 0"):
            await queue.logs(job.id, **page)
        with pytest.raises(InvalidOption, match="whole number from 0"):
            await queue.jobs("failed", **page)
        with pytest.raises(InvalidOption, match="whole number from 0"):
            await queue.metrics("failed", **page)


@pytest.mark.parametrize("job_id", ["plain", "invite:42", "a:b:c", "50%", "%3A", "wait", "events", "ü" * 100])
async def test_every_allowed_id_is_found_again(queue: QueueClient, job_id: str) -> None:
    """Under the text that the caller gave, whatever it is in Redis, and it is no key of the queue itself."""
    await queue.enqueue("job", 1, job_id=job_id)
    found = await queue.get(job_id)
    assert found is not None
    assert found.id == queue.job(job_id).id == job_id
    assert (await queue.jobs("waiting"))[0].id == job_id
    assert await queue.job(job_id).remove()
    assert (await queue.counts())[JobState.WAITING] == 0


async def test_a_job_that_others_damaged_can_be_read(
    queue: QueueClient, raw: redis.asyncio.Redis, prefix: str
) -> None:
    """A hash that is not what it should be is shown as it is, and says what is wrong."""
    job = await queue.enqueue("job", 1)
    key = f"{prefix}:{queue.name}:{job.id}"
    await raw.hset(key, mapping={"data": "{not json", "timestamp": "soon", "opts": "{"})
    found = await queue.get(job.id)
    assert found is not None
    assert found.data == "{not json"
    assert {"data", "timestamp", "opts"} <= found.malformed.keys()
    assert (await queue.jobs("waiting"))[0] == found


async def test_queues_are_found_by_name(client: Client, tasks: Queue, queue_name: str) -> None:
    """`client.queues()` lists every queue under the prefix once, sorted, and none of another prefix."""
    names = sorted(f"{queue_name}-{number}" for number in range(12))
    for name in names:
        await client.queue(name).enqueue("job")
    assert await client.queues() == names


async def test_what_is_no_name_or_id_is_refused(queue: QueueClient) -> None:
    """The untyped door takes text only, and nothing is stored otherwise."""
    wrong: list[Any] = [5, None, b"x", "\ud800"]
    for name in wrong:
        with pytest.raises(InvalidOption, match="name="):
            await queue.enqueue(name)
        with pytest.raises(InvalidOption, match="name="):
            queue.node(name)
        with pytest.raises(InvalidJobId):
            await queue.get(name)
        with pytest.raises(InvalidJobId):
            queue.job(name)
    assert sum((await queue.counts()).values()) == 0
