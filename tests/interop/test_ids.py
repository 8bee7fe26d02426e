"""One id is one job, and one deduplication id one owner, whichever side comes second."""

from __future__ import annotations

import pytest

from corral import Deduplication
from corral.client.queue import QueueClient
from tests.interop.bullmq import Heard, NodeQueue
from tests.interop.conformance.rows import BOTH, FROM_CORRAL, FROM_NODE, row
from tests.interop.corral_worker import corral_worker


@row("id", FROM_NODE)
@pytest.mark.port
async def test_the_same_id_from_node_and_then_corral(
    bull: NodeQueue, ours: QueueClient, heard: Heard
) -> None:
    """Corral finds Node's job under its id: nothing is added, the data stays, `duplicated` is told."""
    await bull.add("first", {"by": "node"}, jobId="order-1")
    handle = await ours.enqueue("second", {"by": "corral"}, job_id="order-1")
    assert (handle.created, handle.id) == (False, "order-1")
    assert (await bull.job("order-1"))["data"] == {"by": "node"}
    await heard.until("duplicated", job_id="order-1")
    assert await bull.counts() == {"waiting": 1}


@row("id", FROM_CORRAL)
@pytest.mark.port
async def test_the_same_id_from_corral_and_then_node(
    bull: NodeQueue, ours: QueueClient, heard: Heard
) -> None:
    """Node finds Corral's job under its id, in any state."""
    await ours.enqueue("first", {"by": "corral"}, job_id="order-1")
    await bull.add("second", {"by": "node"}, jobId="order-1")
    async with corral_worker(bull.url, bull.prefix, bull.name):
        await heard.until("completed")
    await bull.add("third", {"by": "node"}, jobId="order-1")
    await heard.until("duplicated", count=2)
    job = await ours.get("order-1")
    assert job is not None
    assert (job.data, job.state) == ({"by": "corral"}, "completed")


@row("simple-waiting", FROM_NODE)
@pytest.mark.port
async def test_an_owner_waiting_keeps_others_out(bull: NodeQueue, ours: QueueClient, heard: Heard) -> None:
    """Simple mode: while the owner is not ended, adds of either side end at the owner."""
    owner = await bull.add("owner", {}, deduplication={"id": "d"})
    handle = await ours.enqueue("late", {}, deduplication="d")
    assert (handle.created, handle.id) == (False, owner)
    assert await bull.add("late", {}, deduplication={"id": "d"}) == owner
    async with corral_worker(bull.url, bull.prefix, bull.name):
        await heard.until("completed", job_id=owner)
    assert await bull.call("getDeduplicationJobId", deduplicationId="d") is None
    again = await ours.enqueue("again", {}, deduplication="d")
    assert again.created is True
    assert await bull.call("getDeduplicationJobId", deduplicationId="d") == again.id
    told = [entry["fields"]["jobId"] for entry in await heard.entries() if entry["event"] == "deduplicated"]
    assert told == [owner, owner]


async def test_a_window_outlives_its_owner(bull: NodeQueue, ours: QueueClient, heard: Heard) -> None:
    """Throttle mode: the id stays taken for its time, also after the owner's end."""
    handle = await ours.enqueue("owner", {}, deduplication=Deduplication.throttle("d", 60))
    await bull.call("startWorker", worker="w", opts={})
    await heard.until("completed", job_id=handle.id)
    assert await bull.add("late", {}, deduplication={"id": "d", "ttl": 60_000}) == handle.id
    late = await ours.enqueue("late", {}, deduplication=Deduplication.throttle("d", 60))
    assert (late.created, late.id) == (False, handle.id)


@row("debounce-delayed", *BOTH)
@pytest.mark.port
async def test_a_debounced_owner_is_replaced(bull: NodeQueue, ours: QueueClient, heard: Heard) -> None:
    """Debounce mode: each further call replaces the delayed owner, whoever made it."""
    rule = {"id": "d", "ttl": 60_000, "extend": True, "replace": True}
    first = await bull.add("first", {"n": 1}, deduplication=rule, delay=60_000)
    second = await ours.enqueue("second", {"n": 2}, deduplication=Deduplication.debounce("d", 60), delay=60)
    assert second.created is True
    third = await bull.add("third", {"n": 3}, deduplication=rule, delay=60_000)
    await heard.until("deduplicated", count=2)
    assert await bull.counts() == {"delayed": 1}
    assert await ours.get(first) is None
    assert await ours.get(second.id) is None
    assert (await bull.job(third))["data"] == {"n": 3}
    removed = [entry["fields"]["jobId"] for entry in await heard.entries() if entry["event"] == "removed"]
    assert removed == [first, second.id]


@row("keep-last-requeue", *BOTH)
@pytest.mark.port
async def test_the_last_call_while_the_owner_runs_is_kept(
    bull: NodeQueue, ours: QueueClient, heard: Heard
) -> None:
    """keepLastIfActive (BullMQ 5.72 and later): the last payload runs after the owner, across both sides."""
    rule = {"id": "d", "keepLastIfActive": True}
    corrals = Deduplication("d", keep_last_if_active=True)
    gate = {"script": [{"do": "gate", "gate": "g", "value": 1}]}
    old = bull.node.version == "5-61"
    async with corral_worker(bull.url, bull.prefix, bull.name, concurrency=1) as worker:
        owner = await ours.enqueue("owner", gate, deduplication=corrals) if old else None
        owner_id = owner.id if owner else await bull.add("owner", gate, deduplication=rule)
        await heard.until("active", job_id=owner_id)
        await ours.enqueue("kept no longer", {}, deduplication=corrals)
        if old:
            await ours.enqueue("kept", {}, deduplication=corrals)
        else:
            await bull.add("kept", {}, deduplication=rule)
        worker.gates["g"].set()
        await heard.until("completed", count=2)
    assert [job.name for job in worker.ran] == ["owner", "kept"]
