"""What Corral keeps beside the layout does not meet BullMQ's tools, and does not stay for ever."""

from __future__ import annotations

import pytest

from corral.client.queue import QueueClient
from tests.interop.bullmq import Heard, NodeQueue
from tests.interop.conformance.rows import FROM_CORRAL, row
from tests.interop.corral_worker import corral_worker
from tests.interop.snapshot import Raw


async def _all_keys(raw: Raw, bull: NodeQueue) -> set[str]:
    return {key async for key in raw.scan_iter(match=f"*{bull.name}*", count=1000)}


async def _own_keys(raw: Raw, bull: NodeQueue) -> set[str]:
    return {key for key in await _all_keys(raw, bull) if not key.startswith(f"{bull.prefix}:{bull.name}:")}


async def _some_work(bull: NodeQueue, ours: QueueClient, heard: Heard) -> None:
    async with corral_worker(bull.url, bull.prefix, bull.name):
        await ours.enqueue_many("x", [{} for _ in range(20)])
        await bull.add("bad", {"script": [{"do": "throw", "message": "no"}]})
        await heard.until("completed", "failed", count=21)
    await ours.enqueue("waits", {})
    await ours.enqueue("delayed", {}, delay=3600)


async def test_own_keys_have_a_place_of_their_own_and_an_end(
    bull: NodeQueue, ours: QueueClient, heard: Heard, raw: Raw
) -> None:
    """Outside the queue's own keys there are only `<prefix>::corral:<queue>:…`, and each of them expires."""
    await _some_work(bull, ours, heard)
    own = await _own_keys(raw, bull)
    assert own
    for key in own:
        assert key.startswith(f"{bull.prefix}::corral:{bull.name}:")
        assert await raw.pttl(key) > 0, f"{key} stays for ever"


@row("orphans", FROM_CORRAL)
@pytest.mark.parametrize("node", ["5-81", "6-7"], indirect=True)  # 5.61 has no such verb
async def test_the_search_for_orphans_leaves_everything(
    bull: NodeQueue, ours: QueueClient, heard: Heard, raw: Raw
) -> None:
    """BullMQ's removeOrphanedJobs takes nothing of Corral's: only `metrics:failed`, which it takes of its own too."""
    await _some_work(bull, ours, heard)
    before = await _all_keys(raw, bull)
    await bull.call("removeOrphanedJobs")
    assert before - await _all_keys(raw, bull) <= {f"{bull.prefix}:{bull.name}:metrics:failed"}


@row("obliterate", FROM_CORRAL)
@pytest.mark.port
async def test_a_queue_goes_on_after_obliterate(bull: NodeQueue, ours: QueueClient, heard: Heard) -> None:
    """Node may obliterate a queue under a running Corral worker and client: what is added later runs."""
    async with corral_worker(bull.url, bull.prefix, bull.name) as worker:
        first = await ours.enqueue("first", {})
        await first.wait(timeout=10)
        await bull.call("obliterate")
        assert await bull.counts() == {}
        await bull.call("resume")
        second = await ours.enqueue("second", {"script": [{"do": "return", "value": 2}]})
        assert await second.result(timeout=10) == 2
    assert [job.id for job in worker.ran] == [first.id, second.id]


@row("clean", FROM_CORRAL)
@row("drain", FROM_CORRAL)
@pytest.mark.port
async def test_clean_and_drain_take_corrals_jobs(bull: NodeQueue, ours: QueueClient, heard: Heard) -> None:
    """Node's bulk verbs treat Corral's jobs as its own."""
    await _some_work(bull, ours, heard)
    assert len(await bull.call("clean", grace=0, limit=100, state="completed")) == 20
    assert len(await bull.call("clean", grace=0, limit=100, state="failed")) == 1
    await bull.call("drain", delayed=True)
    assert await bull.counts() == {}
