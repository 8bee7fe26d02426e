"""Singletons beside Node: its jobs follow the rule of Corral's workers, and its tools lose nothing set aside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from corral import Client, Context, Queue, Singleton, Worker
from corral.client.queue import QueueClient
from tests.interop.bullmq import NodeQueue


class Single:
    """A worker that serves singleton tasks, whose handlers wait at a gate."""

    def __init__(self, bull: NodeQueue, client: Client) -> None:
        self.gate = asyncio.Event()
        self.begun: asyncio.Queue[str] = asyncio.Queue()
        self.tasks = Queue(bull.name, backoff=0)
        self.client = client
        self.most = self.running = 0

        @self.tasks.task(singleton="account")
        async def bill(_payload: dict[str, str], ctx: Context) -> None:
            await self.run(ctx)

        @self.tasks.task(singleton=Singleton(otherwise="skip"))
        async def refresh(_payload: dict[str, str], ctx: Context) -> None:
            await self.run(ctx)

        self.bill, self.refresh = bill, refresh

    async def run(self, ctx: Context) -> None:
        """Wait at the gate."""
        self.running += 1
        self.most = max(self.most, self.running)
        self.begun.put_nowait(ctx.job_id)
        await self.gate.wait()
        self.running -= 1


@pytest.fixture
async def single(bull: NodeQueue, ours: QueueClient) -> AsyncIterator[Single]:
    """The worker, running."""
    async with Client(bull.url, prefix=bull.prefix) as client:
        made = Single(bull, client)
        async with Worker(made.tasks, client=client, grace=0.0):
            yield made


async def aside(single: Single, bull: NodeQueue, count: int) -> list[str]:
    """Node adds a job that runs, and others that are set aside."""
    ids = [await bull.add("bill", {"account": "ada"})]
    assert await single.begun.get() == ids[0]
    ids += [await bull.add("bill", {"account": "ada"}) for _ in range(count)]
    while (await bull.counts()).get("delayed") != count:
        await asyncio.sleep(0)
    return ids


async def test_nodes_jobs_take_turns(single: Single, bull: NodeQueue) -> None:
    """Jobs that Node adds follow the rule of the worker's task; those of another account run beside them."""
    ids = await aside(single, bull, 2)
    other = await bull.add("bill", {"account": "bob"})
    assert await single.begun.get() == other
    assert await bull.counts() == {"active": 2, "delayed": 2}
    single.gate.set()
    assert [await single.begun.get() for _ in ids[1:]] == ids[1:]
    assert single.most == 2


async def test_nodes_jobs_are_skipped(single: Single, bull: NodeQueue) -> None:
    """Node sees why, and its own option is followed by Corral's workers."""
    first, second = [await bull.add("refresh", {}) for _ in range(2)]
    assert await single.begun.get() == first
    while await bull.state(second) != "failed":
        await asyncio.sleep(0)
    assert (await bull.job(second))["failedReason"] == f'skipped: {first} holds "refresh"'
    third = await bull.add("refresh", {}, singleton={"key": "mine"})
    assert await single.begun.get() == third
    single.gate.set()


@pytest.mark.parametrize("node", ["5-81", "6-7"], indirect=True)  # 5.61 has no such verb
async def test_no_orphans(single: Single, bull: NodeQueue) -> None:
    """The search for orphans leaves those that are set aside."""
    ids = await aside(single, bull, 3)
    await bull.call("removeOrphanedJobs")
    assert await bull.counts() == {"active": 1, "delayed": 3}
    single.gate.set()
    assert [await single.begun.get() for _ in ids[1:]] == ids[1:]


async def test_promoted_by_node(single: Single, bull: NodeQueue) -> None:
    """A promoted job is looked at, and set aside again; all of them run in the end."""
    ids = await aside(single, bull, 2)
    await bull.call("promote", jobId=ids[2])
    while (await bull.counts()).get("delayed") != 2:
        await asyncio.sleep(0)
    single.gate.set()
    assert [await single.begun.get() for _ in ids[1:]] == ids[1:]


async def test_removed_by_node(single: Single, bull: NodeQueue) -> None:
    """Node may remove the first in line, or all: those that are left take their turns, and later ones run."""
    ids = await aside(single, bull, 3)
    await bull.call("remove", jobId=ids[1])
    single.gate.set()
    assert [await single.begun.get() for _ in ids[2:]] == ids[2:]


async def test_obliterated_by_node(single: Single, bull: NodeQueue) -> None:
    """What is left of the old queue keeps no new job waiting."""
    await aside(single, bull, 2)
    await bull.call("obliterate")
    await bull.call("resume")
    single.gate.set()
    later = await bull.add("bill", {"account": "ada"})
    assert await single.begun.get() == later
