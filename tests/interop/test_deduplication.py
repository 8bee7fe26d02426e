"""One deduplication id, whoever owns it and in whichever state the owner is: both sides take the same decision."""

from __future__ import annotations

from typing import Any

import pytest

from corral import Deduplication
from corral.admin.queue import QueueAdmin
from corral.client.queue import QueueClient
from tests.interop.bullmq import Heard, NodeQueue
from tests.interop.conformance.rows import FROM_CORRAL, FROM_NODE, row
from tests.interop.corral_worker import corral_worker

MODES: dict[str, tuple[dict[str, Any], Deduplication]] = {
    "simple": ({"id": "d"}, Deduplication.simple("d")),
    "throttle": ({"id": "d", "ttl": 60_000}, Deduplication.throttle("d", 60)),
    "debounce": (
        {"id": "d", "ttl": 60_000, "extend": True, "replace": True},
        Deduplication.debounce("d", 60),
    ),
    "keep-last": ({"id": "d", "keepLastIfActive": True}, Deduplication("d", keep_last_if_active=True)),
}
"""BullMQ's options and Corral's."""


def gated(name: str) -> dict[str, Any]:
    """Data of a job that runs until a gate of this name is opened."""
    return {"script": [{"do": "gate", "gate": name}]}


def cases(direction: str) -> list[Any]:
    """Every mode with the owner in every state."""
    return [
        pytest.param(mode, owner, marks=row(f"{mode}-{owner}", direction), id=f"{mode}-{owner}")
        for mode in MODES
        for owner in ("waiting", "delayed", "active")
    ]


def stays(mode: str, owner: str) -> bool:
    """Whether the owner keeps its id: a debounced one that is delayed is replaced."""
    return (mode, owner) != ("debounce", "delayed")


@pytest.mark.parametrize(("mode", "owner"), cases(FROM_CORRAL))
@pytest.mark.port
async def test_corral_owns_and_node_adds(
    mode: str, owner: str, bull: NodeQueue, ours: QueueClient, heard: Heard
) -> None:
    """Node's add ends at Corral's job, or replaces it."""
    theirs, mine = MODES[mode]
    async with corral_worker(bull.url, bull.prefix, bull.name) as worker:
        if owner == "waiting":
            await bull.call("pause")
        first = await ours.enqueue(
            "owner", gated(bull.name), deduplication=mine, delay=60 if owner == "delayed" else 0
        )
        if owner == "active":
            await heard.until("active", job_id=first.id)
        second = await bull.add("late", {}, deduplication=theirs, delay=60_000 if owner == "delayed" else 0)
        await _judge(mode, owner, first.id, second, bull)
        worker.gates[bull.name].set()


@pytest.mark.parametrize(("mode", "owner"), cases(FROM_NODE))
@pytest.mark.port
async def test_node_owns_and_corral_adds(
    mode: str, owner: str, bull: NodeQueue, ours: QueueClient, heard: Heard
) -> None:
    """Corral's enqueue ends at Node's job, or replaces it."""
    theirs, mine = MODES[mode]
    await bull.call("startWorker", worker="w", opts={})
    if owner == "waiting":
        await bull.call("pause")
    first = await bull.add(
        "owner", gated(bull.name), deduplication=theirs, delay=60_000 if owner == "delayed" else 0
    )
    if owner == "active":
        await heard.until("active", job_id=first)
    second = await ours.enqueue("late", {}, deduplication=mine, delay=60 if owner == "delayed" else 0)
    assert second.created is not stays(mode, owner)
    await _judge(mode, owner, first, second.id, bull)
    await bull.call("openGate", gate=bull.name)


async def _judge(mode: str, owner: str, first: str, second: str, bull: NodeQueue) -> None:
    assert (second == first) is stays(mode, owner)
    assert await bull.call("getDeduplicationJobId", deduplicationId="d") == second


async def test_either_side_takes_an_id_from_its_owner(
    bull: NodeQueue, ours: QueueClient, operated: QueueAdmin
) -> None:
    """Who owns an id is the same on both sides, and where one side takes it away, the other's next job is added."""
    first = await ours.enqueue("a", {}, deduplication="d")
    assert await bull.call("getDeduplicationJobId", deduplicationId="d") == first.id
    await bull.call("removeDeduplicationKey", deduplicationId="d")
    assert await operated.deduplication("d") is None
    second = await bull.add("b", {}, deduplication={"id": "d"})
    assert await operated.deduplication("d") == second
    assert not await operated.remove_deduplication("d", job_id=first.id)
    assert await operated.remove_deduplication("d", job_id=second)
    third = await bull.add("c", {}, deduplication={"id": "d"})
    assert third not in (first.id, second)
