"""Node and Corral on one queue of a cluster: the same hash tag, the same keys, both ways."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from corral import Client
from tests.interop.bullmq import NEWEST, Node, NodeQueue
from tests.interop.corral_worker import corral_worker
from tests.topologies import Cluster

RETURNS_7 = {"script": [{"do": "return", "value": 7}]}


@pytest.mark.parametrize("prefix", ["{bull}", "plain"])
async def test_both_ways(prefix: str, cluster: Cluster, node_process: Callable[[str], Node]) -> None:
    """A tag in the prefix or in the queue's name: Node adds and Corral runs, Corral adds and Node runs."""
    queue = "mail" if prefix == "{bull}" else "{mail}"
    node = node_process(NEWEST)
    bull = NodeQueue(node, cluster.url, prefix, queue)
    async with Client(cluster.url, prefix=prefix) as client:
        mail = client.queue(queue)
        async with corral_worker(cluster.url, prefix, queue):
            job_id = await bull.add("scripted", RETURNS_7)
            assert await mail.job(job_id).result(timeout=20) == 7
        assert await bull.state(job_id) == "completed"
        await bull.call("startWorker", worker="w", opts={})
        job = await mail.enqueue("scripted", RETURNS_7)
        assert await job.result(timeout=20) == 7
        await node.call("closeAll")
