"""A Node QueueEvents cannot tell Corral's work from Node's own: the same events, fields and order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import pytest

from corral.client.client import Client
from tests.interop.bullmq import PORT_VERSION, Node, NodeQueue
from tests.interop.conformance.rows import FROM_CORRAL, row
from tests.interop.corral_worker import Scripted, corral_worker

pytestmark = pytest.mark.port

OK: dict[str, Any] = {"script": [{"do": "return", "value": {"sum": 3}}]}
BAD: dict[str, Any] = {"script": [{"do": "throw", "message": "no"}]}
FATAL: dict[str, Any] = {"script": [{"do": "unrecoverable", "message": "no use"}]}
SNOOZES: dict[str, Any] = {"script": [{"do": "snooze", "ms": 20}, {"do": "return", "value": 1}]}
REPORTS: dict[str, Any] = {"script": [{"do": "return", "value": None, "progress": 50}]}

#: What is added, for either side: name, data, BullMQ's options, Corral's options.
STORY: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ("plain", OK, {}, {}),
    ("given id", OK, {"jobId": "order-1"}, {"job_id": "order-1"}),
    ("given id", OK, {"jobId": "order-1"}, {"job_id": "order-1"}),
    ("removed", OK, {"removeOnComplete": True}, {"remove_on_complete": True}),
    ("retried", BAD, {"attempts": 2}, {"attempts": 2}),
    ("fatal", FATAL, {"attempts": 3}, {"attempts": 3}),
    ("backs off", BAD, {"attempts": 2, "backoff": 20}, {"attempts": 2, "backoff": 0.02}),
    ("reporting", REPORTS, {}, {}),
    ("deduplicated", OK, {"deduplication": {"id": "d"}}, {"deduplication": "d"}),
    ("deduplicated", OK, {"deduplication": {"id": "d"}}, {"deduplication": "d"}),
    ("prioritized", OK, {"priority": 5}, {"priority": 5}),
    ("lifo", OK, {"lifo": True}, {"lifo": True}),
    ("delayed", OK, {"delay": 40}, {"delay": 0.04}),
    ("snoozed", SNOOZES, {}, {}),
]
#: How the events of one job end, so that the next can be added.
ONE_STEP = ["drained", "duplicated"]
#: Jobs that end: all but one duplicate and one deduplicated.
ENDS = len(STORY) - 2
BULLMQ_DEFAULTS: dict[str, Any] = {"attempts": 1, "backoff": None, "remove_on_complete": False}

Told = list[tuple[str, dict[str, Any]]]


async def tell_node(bull: NodeQueue) -> AsyncIterator[None]:
    """Add the story's jobs with BullMQ, one at each step."""
    for name, data, options, _ in STORY:
        yield await bull.call("add", name=name, data=data, opts=options)


async def tell_corral(client: Client, queue: str) -> AsyncIterator[None]:
    """Add the story's jobs with Corral, one at each step."""
    for name, data, _, options in STORY:
        await client.queue(queue).enqueue(name, data, **{**BULLMQ_DEFAULTS, **options})
        yield


def comparable(heard: list[dict[str, Any]]) -> Told:
    """Name ids by the order of their first event, and leave out what a clock decides."""
    names: dict[str, str] = {"order-1": "order-1"}
    told: Told = []
    for entry in heard:
        fields = {key: value for key, value in entry["fields"].items() if key != "delay"}
        for key in ("jobId", "deduplicatedJobId"):
            if key in fields:
                fields[key] = names.setdefault(fields[key], f"j{len(names)}")
        if entry["event"] != "debounced":  # written by v5 alone
            told.append((entry["event"], fields))
    return told


def by_job(told: Told) -> dict[str, Told]:
    """Group by job, in order: between jobs that run at the same time the order is chance, within one it is not."""
    grouped: dict[str, Told] = {}
    for event, fields in told:
        grouped.setdefault(fields.get("jobId", event), []).append((event, fields))
    return grouped


async def heard_until_drained(node: Node, events: str) -> Told:
    """Wait until all jobs have ended and the queue is drained; return what was heard."""
    await node.call("waitEvents", events=events, event=["completed", "failed"], count=ENDS, timeout=15_000)
    await node.call("waitEvents", events=events, event="drained", count=1, timeout=15_000)
    return comparable(await node.call("events", events=events))


@dataclass(frozen=True)
class Stage:
    """Two queues of one name: `theirs` for BullMQ alone, `mine` for Corral; a QueueEvents of Node on each."""

    theirs: NodeQueue
    mine: NodeQueue
    client: Client

    async def node_worker(self) -> None:
        """Let a Node worker run `theirs`."""
        await self.theirs.call("startWorker", worker="theirs", opts={"concurrency": 1})

    def corral_worker(self) -> AbstractAsyncContextManager[Scripted]:
        """Let a Corral worker run `mine`."""
        return corral_worker(self.mine.url, self.mine.prefix, self.mine.name, concurrency=1)


@pytest.fixture
async def stage(node: Node, redis_url: str, prefix: str, queue_name: str) -> AsyncIterator[Stage]:
    """The two queues, listened to from before their first event."""
    theirs = NodeQueue(node, redis_url, f"{prefix}-theirs", queue_name)
    mine = NodeQueue(node, redis_url, f"{prefix}-mine", queue_name)
    await theirs.call("startEvents", events="theirs")
    await mine.call("startEvents", events="mine")
    async with Client(redis_url, prefix=mine.prefix) as client:
        yield Stage(theirs, mine, client)


@row("events", FROM_CORRAL)
async def test_a_story_told_before_the_worker_comes(node: Node, stage: Stage) -> None:
    """Jobs of every kind, added before a worker comes: one by one the same events with the same fields."""
    async for _ in tell_node(stage.theirs):
        pass
    async for _ in tell_corral(stage.client, stage.mine.name):
        pass
    await stage.node_worker()
    async with stage.corral_worker():
        theirs, mine = await heard_until_drained(node, "theirs"), await heard_until_drained(node, "mine")
    left, right = by_job(theirs), by_job(mine)
    if node.version in PORT_VERSION:  # it asks for the next job in a call of its own, and says so more often
        left["drained"] = right["drained"]
    assert right == left


@row("events", FROM_CORRAL)
async def test_a_story_told_step_by_step(node: Node, stage: Stage) -> None:
    """Each job added when the last has ended: the whole sequence is the same, `drained` included."""
    await stage.node_worker()
    async with stage.corral_worker():
        for tell, events in (
            (tell_node(stage.theirs), "theirs"),
            (tell_corral(stage.client, stage.mine.name), "mine"),
        ):
            told = 0
            async for _ in tell:
                told += 1
                await node.call("waitEvents", events=events, event=ONE_STEP, count=told, timeout=10_000)
        left, right = [comparable(await node.call("events", events=name)) for name in ("theirs", "mine")]
    assert right == left
