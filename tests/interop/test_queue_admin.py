"""What operators do to a queue, by Corral on one side and seen by Node on the other, and the other way round."""

from __future__ import annotations

import asyncio

import pytest

from corral.admin.queue import QueueAdmin
from corral.client.queue import QueueClient
from corral.contracts.states import JobState
from tests.interop.bullmq import Heard, NodeQueue
from tests.interop.conformance.rows import FROM_NODE, row
from tests.interop.corral_worker import corral_worker
from tests.interop.snapshot import Raw


async def some_of_each(bull: NodeQueue) -> None:
    """Jobs of Node in all states that a producer can put them in."""
    for opts in ({}, {}, {"priority": 1}, {"priority": 3}, {"priority": 3}, {"delay": 60_000}):
        await bull.add("x", {}, **opts)


async def keys_of(raw: Raw, bull: NodeQueue) -> set[str]:
    """All keys of the queue, Corral's own among them."""
    return {key async for key in raw.scan_iter(match=f"*{bull.name}*", count=1000)}


async def test_counts_agree(operated: QueueAdmin, bull: NodeQueue) -> None:
    """Both count the same, by state and by priority."""
    await some_of_each(bull)
    counts = {state.value: count for state, count in (await operated.counts()).items() if count}
    assert counts == await bull.counts()
    priorities = await operated.priorities()
    theirs = await bull.call("getCountsPerPriority", priorities=[0, 1, 2, 3])
    assert priorities == {int(priority): count for priority, count in theirs.items() if count}


async def test_drained_by_corral(operated: QueueAdmin, bull: NodeQueue, heard: Heard) -> None:
    """Node sees what is left, and hears nothing, as when it drains itself."""
    await some_of_each(bull)
    await heard.until("delayed")
    before = len(await heard.entries())
    assert await operated.drain() == 5
    assert await bull.counts() == {"delayed": 1}
    assert await operated.drain(delayed=True) == 1
    assert await bull.counts() == {}
    assert len(await heard.entries()) == before


async def test_drained_by_node(operated: QueueAdmin, bull: NodeQueue, ours: QueueClient) -> None:
    """Corral sees that Node has drained."""
    await ours.enqueue_many("x", [{}] * 5)
    await ours.enqueue("x", delay=60)
    await bull.call("drain", delayed=True)
    assert set((await operated.counts()).values()) == {0}


async def test_a_schedule_outlives_draining(
    operated: QueueAdmin, bull: NodeQueue, heard: Heard, raw: Raw
) -> None:
    """A scheduler of Node whose iteration is due stays alive: the iteration runs, and the next one is there. (Node's
    own drain takes the wrong one out of the list.)"""
    await bull.call("pause")
    await bull.call(
        "upsertJobScheduler", scheduler="s", repeat={"every": 3_600_000}, template={"name": "tick"}
    )
    await bull.add("x", {})
    await bull.add("y", {})
    assert await operated.drain(delayed=True) == 2
    assert sum((await bull.counts()).values()) == 1
    await operated.resume()
    await bull.call("startWorker", worker="w", opts={})
    await heard.until("completed")
    [ran] = await bull.node.call("workerRan", worker="w")
    assert ran["name"] == "tick"
    assert await raw.zcard(f"{bull.prefix}:{bull.name}:delayed") == 1


async def test_cleaned_by_corral(operated: QueueAdmin, bull: NodeQueue, heard: Heard) -> None:
    """What Corral cleans is gone for Node, which hears how many."""
    await bull.call("startWorker", worker="w", opts={})
    for _ in range(3):
        await bull.add("ok", {})
    await bull.add("bad", {"script": [{"do": "throw", "message": "no"}]})
    await heard.until("completed", "failed", count=4)
    assert await operated.clean("completed", older_than=3600) == 0
    assert await operated.clean("completed", older_than=0, limit=2) == 2
    assert await operated.clean("failed", older_than=0) == 1
    await heard.until("cleaned", count=2)
    told = [entry["fields"]["count"] for entry in await heard.entries() if entry["event"] == "cleaned"]
    assert told == ["2", "1"]
    assert await bull.counts() == {"completed": 1}


@pytest.mark.parametrize(
    ("state", "theirs"), [("waiting", "wait"), ("delayed", "delayed"), ("prioritized", "prioritized")]
)
async def test_both_clean_the_same(
    operated: QueueAdmin, bull: NodeQueue, state: str, theirs: str, raw: Raw
) -> None:
    """Of equal queues Corral and Node take the same jobs: those that are old enough."""
    left = []
    for ours in (True, False):
        for number in range(5):
            opts = {"delayed": {"delay": 60_000}, "prioritized": {"priority": 1}}.get(state, {})
            await bull.add("x", number, timestamp=1_000_000_000_000 if number % 2 else None, **opts)
        if ours:
            assert await operated.clean(state, older_than=60) == 2
        else:
            assert len(await bull.call("clean", grace=60_000, limit=0, state=theirs)) == 2
        jobs = await bull.call("getJobs", types=[theirs], start=0, end=-1)
        left.append(sorted(job["data"] for job in jobs))
        await operated.obliterate()
    assert left == [[0, 2, 4], [0, 2, 4]]


async def test_obliterated_by_corral(
    operated: QueueAdmin, bull: NodeQueue, heard: Heard, raw: Raw, ours: QueueClient
) -> None:
    """Nothing of what Node and Corral have made is left, and the queue can be used again by both."""
    await bull.call("startWorker", worker="w", opts={"metrics": {"maxDataPoints": 10}})
    await bull.add("ok", {})
    await heard.until("completed")
    await bull.call(
        "upsertJobScheduler", scheduler="s", repeat={"pattern": "0 0 1 1 *"}, template={"name": "t"}
    )
    await bull.add("x", {}, deduplication={"id": "d", "ttl": 60_000})
    await some_of_each(bull)
    await operated.obliterate(force=True)
    assert {
        key for key in await keys_of(raw, bull) if not key.endswith((":marker", ":stalled-check"))
    } == set()
    handle = await ours.enqueue("again", {"script": [{"do": "return", "value": 1}]})
    assert await handle.result(timeout=15) == 1


async def test_obliterated_by_node(
    operated: QueueAdmin, bull: NodeQueue, ours: QueueClient, raw: Raw
) -> None:
    """What Node leaves behind, Corral takes away."""
    await ours.enqueue_many("x", [{}] * 3)
    await bull.call("obliterate")
    assert await operated.paused() is False
    await operated.obliterate()
    assert await keys_of(raw, bull) == set()


async def test_orphans_of_node(operated: QueueAdmin, bull: NodeQueue, raw: Raw) -> None:
    """Jobs that Node has lost are found, an iteration of a scheduler among them, and nothing else goes."""
    await some_of_each(bull)
    await bull.call("startWorker", worker="w", opts={"metrics": {"maxDataPoints": 10}})
    lost = await bull.add("lost", {}, delay=60_000)
    await raw.zrem(f"{bull.prefix}:{bull.name}:delayed", lost)
    await bull.call(
        "upsertJobScheduler", scheduler="s", repeat={"pattern": "0 0 1 1 *"}, template={"name": "t"}
    )
    iteration = f"repeat:s:{await raw.zscore(f'{bull.prefix}:{bull.name}:repeat', 's'):.0f}"
    await raw.zrem(f"{bull.prefix}:{bull.name}:delayed", iteration)
    before = await operated.counts()
    assert sorted(await operated.orphans()) == sorted([lost, iteration])
    assert await operated.remove_orphans() == 2
    assert before.keys() == (await operated.counts()).keys()
    assert await raw.exists(f"{bull.prefix}:{bull.name}:repeat:s") == 1
    assert await operated.orphans() == []


async def test_workers_of_both(operated: QueueAdmin, bull: NodeQueue) -> None:
    """Workers of Node and of Corral are listed by both sides."""
    await bull.call("startWorker", worker="w", opts={"name": "node-worker"})
    async with corral_worker(bull.url, bull.prefix, bull.name), asyncio.timeout(10):
        found = await operated.workers()
        while len(found) < 2 or not all(worker.address for worker in found):
            found = await operated.workers()
        names = {worker.name for worker in found}
        assert "node-worker" in names
        assert len(await bull.call("getWorkers")) == 2
        assert all(worker.started for worker in found)
        assert [worker.ours for worker in found if worker.name == "node-worker"] == [False]


@row("metrics", FROM_NODE)
@pytest.mark.port
async def test_metrics_of_node(operated: QueueAdmin, bull: NodeQueue, heard: Heard) -> None:
    """What a Node worker with metrics counts, Corral reads."""
    await bull.call("startWorker", worker="w", opts={"metrics": {"maxDataPoints": 10}})
    await bull.add("ok", {})
    await heard.until("completed")
    assert (await operated.metrics(JobState.COMPLETED)).total == 1
