"""Flows on a cluster: all queues of one have to be in one hash slot."""

from __future__ import annotations

from typing import Any

import pytest

from corral import Client, FlowNode, InvalidFlow, JobState, Queue, Worker
from tests.topologies import Cluster


def orders_and_ship(first: str, second: str) -> tuple[Queue, Queue]:
    """Two queues with a task each."""
    orders, shipping = Queue(first), Queue(second)

    @orders.task
    async def close(_: None) -> str:
        return "closed"

    @shipping.task
    async def ship(number: int) -> int:
        return number

    return orders, shipping


def node_of(queue: Queue, task: str, payload: object) -> FlowNode[Any]:
    """A node of a task by its name."""
    return FlowNode(queue.bindings()[task].spec.request(payload, {}))


@pytest.mark.parametrize("plain", [False, True], ids=["as a cluster", "as one of its nodes"])
async def test_queues_in_several_slots(cluster: Cluster, plain: bool) -> None:
    """Such a flow is refused before anything is stored, though the URL may not say that it is a cluster."""
    orders, shipping = orders_and_ship("{a}-orders", "{b}-ship")
    async with Client(cluster.nodes[0].url if plain else cluster.url, prefix="p") as client:
        node, child = node_of(orders, "close", None), node_of(shipping, "ship", 1)
        with pytest.raises(InvalidFlow, match=r"'\{a\}-orders', '\{b\}-ship'") as error:
            await node.after(child).enqueue(client)
        assert error.value.kind == "slots"
        for name in (orders.queue, shipping.queue):
            assert set((await client.queue(name).counts()).values()) == {0}


async def test_queues_of_one_tag(cluster: Cluster) -> None:
    """With one hash tag it is a flow like any other."""
    orders, shipping = orders_and_ship("{shop}-orders", "{shop}-ship")
    async with Client(cluster.url, prefix="p") as client, Worker(orders, shipping, client=client):
        child = node_of(shipping, "ship", 1)
        flow = await node_of(orders, "close", None).after(child).enqueue(client)
        assert await flow.result(timeout=20) == "closed"
        assert await flow.job(child).state() is JobState.COMPLETED
