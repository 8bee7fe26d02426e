"""A paused queue, whoever paused it and in whichever layout: it is left alone, and nothing is lost on resume (§29)."""

from __future__ import annotations

import pytest

from corral.admin.queue import QueueAdmin
from corral.client.queue import QueueClient
from tests.interop.bullmq import Heard, NodeQueue
from tests.interop.conformance.rows import FROM_CORRAL, FROM_NODE, row
from tests.interop.corral_worker import corral_worker


async def _all_run(bull: NodeQueue, heard: Heard, ids: list[str]) -> None:
    """Every job is run by a Corral worker, once."""
    async with corral_worker(bull.url, bull.prefix, bull.name, concurrency=1) as worker:
        await heard.until("completed", count=len(ids))
    assert sorted(job.id for job in worker.ran) == sorted(ids)


@row("pause", FROM_CORRAL)
@pytest.mark.port
async def test_node_leaves_a_queue_alone_that_corral_paused(
    bull: NodeQueue, ours: QueueClient, operator: QueueAdmin, heard: Heard
) -> None:
    """Node starts nothing while Corral pauses, not even what comes due; after resume it runs all."""
    await bull.call("startWorker", worker="w", opts={})
    await operator.pause()
    await ours.enqueue("during", {})
    later = await ours.enqueue("later", {}, delay=0.01)
    await heard.until("waiting", job_id=later.id)  # a fetch has promoted it: the worker has looked
    assert await bull.call("workerRan", worker="w") == []
    await operator.resume()
    await heard.until("completed", count=2)


@row("pause-add-resume", FROM_CORRAL)
@pytest.mark.port
async def test_corral_pauses_node_adds_corral_resumes(
    bull: NodeQueue, ours: QueueClient, operator: QueueAdmin, heard: Heard
) -> None:
    """What was there, and what Node adds while Corral pauses, is run after Corral resumes."""
    ids = [(await ours.enqueue("before", {})).id for _ in range(3)]
    await operator.pause()
    ids.append(await bull.add("during", {}))
    await operator.resume()
    await _all_run(bull, heard, ids)


@row("pause-add-other-resumes", FROM_CORRAL)
@pytest.mark.port
async def test_corral_pauses_both_add_node_resumes(
    bull: NodeQueue, ours: QueueClient, operator: QueueAdmin, heard: Heard
) -> None:
    """The dangerous one: BullMQ 5 resumes by renaming its list over `wait`. Corral, which sees a peer of version 5,
    keeps ready ids where that peer looks for them."""
    await bull.call("openQueue")
    ids = [(await ours.enqueue("before", {})).id for _ in range(3)]
    await operator.pause()
    ids += [await bull.add("during", {}), (await ours.enqueue("during", {})).id]
    ids.append(await bull.add("during", {}))
    await bull.call("resume")
    await _all_run(bull, heard, ids)


@row("pause-add-other-resumes", FROM_NODE)
@pytest.mark.port
async def test_node_pauses_both_add_corral_resumes(
    bull: NodeQueue, ours: QueueClient, operator: QueueAdmin, heard: Heard
) -> None:
    """Corral's resume merges whatever lists it finds."""
    ids = [await bull.add("before", {}) for _ in range(3)]
    await bull.call("pause")
    ids += [(await ours.enqueue("during", {})).id, await bull.add("during", {})]
    await operator.resume()
    await _all_run(bull, heard, ids)
