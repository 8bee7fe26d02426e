"""What BullMQ's port to Python lacks or does otherwise: the reasons why its column has empty cells are true."""

from __future__ import annotations

import asyncio

import pytest

from corral.admin.queue import QueueAdmin
from corral.client.queue import QueueClient
from tests.interop.bullmq import Heard, NodeQueue
from tests.interop.corral_worker import corral_worker

pytestmark = pytest.mark.parametrize("node", ["port"], indirect=True)

MISSING = [
    "Job.changeDelay",
    "Job.getDependencies",
    "Job.waitUntilFinished",
    "Queue.getMetrics",
    "Queue.removeOrphanedJobs",
    "FlowProducer.getFlow",
]


async def test_it_has_no_verb(bull: NodeQueue) -> None:
    """These are missing; one that it has is not found so."""
    assert await bull.call("lacks", names=[*MISSING, "Job.changePriority"]) == MISSING


async def test_workers_do_not_find_each_other(bull: NodeQueue, operated: QueueAdmin) -> None:
    """Each side finds its own worker alone: the port's bears the name of the queue itself, on both its connections."""
    await bull.call("startWorker", worker="w", opts={"name": "port-1"})
    await bull.add("x", {})
    await bull.call("waitRan", worker="w", count=1, timeout=10_000)  # its connections are named by then
    async with corral_worker(bull.url, bull.prefix, bull.name, name="mailer-1"), asyncio.timeout(10):
        while not (found := await operated.workers()):
            await asyncio.sleep(0)
        assert [worker.name for worker in found] == ["mailer-1"]
        theirs = [worker["rawname"] for worker in await bull.call("getWorkers")]
        assert theirs == [f"{bull.prefix}:{bull.name}:w:port-1"] * 2


async def test_it_knows_no_name_of_a_worker(bull: NodeQueue, ours: QueueClient, heard: Heard) -> None:
    """A job that the port ran bears no name for Corral, and the port reads none of a job that Corral ran."""
    await bull.call("startWorker", worker="w", opts={"name": "port-1"})
    theirs = await bull.add("x", {})
    await heard.until("completed", job_id=theirs)
    await bull.call("stopWorker", worker="w")
    async with corral_worker(bull.url, bull.prefix, bull.name, name="mailer-1"):
        mine = await bull.add("x", {})
        await heard.until("completed", job_id=mine)
    ran = [await ours.get(job_id) for job_id in (theirs, mine)]
    assert [job and job.processed_by for job in ran] == [None, "mailer-1"]
    assert (await bull.job(mine))["processedBy"] is None
