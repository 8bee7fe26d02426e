"""Limits are kept by workers of both sides together, whoever sets them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from corral import RateLimit
from corral.admin.queue import QueueAdmin
from corral.client.client import Client
from corral.client.queue import QueueClient
from corral.engine.limit import hold_starts, set_concurrency, set_rate
from tests.interop.bullmq import Heard, NodeQueue
from tests.interop.conformance.rows import BOTH, FROM_CORRAL, FROM_NODE, row
from tests.interop.corral_worker import corral_worker
from tests.interop.snapshot import Raw

pytestmark = pytest.mark.port

HOUR = {"limiter": {"max": 2, "duration": 3_600_000}}
GATE: dict[str, Any] = {"script": [{"do": "gate", "gate": "g"}]}
WAIT: dict[str, Any] = {"script": [{"do": "limit", "ms": 3_600_000}, {"do": "return", "value": 1}]}


async def node_looks(bull: NodeQueue, ours: QueueClient, heard: Heard, **opts: Any) -> None:
    """A Node worker starts and asks for jobs: it has put one in line that had come due before."""
    job = await ours.enqueue("due", {}, delay=0.001)
    await bull.call("startWorker", worker="w", opts=opts)
    await heard.until("waiting", job_id=job.id)


async def corral_waits(raw: Raw) -> None:
    """A Corral worker waits for the end of a rate limit."""
    loop = asyncio.get_running_loop()
    over = loop.time() + 20
    while not any(each["cmd"] == "xread" for each in await blocked(raw)):
        assert loop.time() < over, "no worker waits"
        await asyncio.sleep(0)


async def blocked(raw: Raw) -> list[dict[str, Any]]:
    """Connections that wait, but for events or orders."""
    waiting = [each for each in await raw.client_list() if "b" in each["flags"]]
    return [each for each in waiting if not each["name"].endswith((":qe", ":orders"))]


@row("rate-limit", FROM_NODE)
async def test_what_node_started_counts_for_corral(
    bull: NodeQueue, ours: QueueClient, heard: Heard, raw: Raw
) -> None:
    """A window that Node's worker has used up is used up for Corral's."""
    await bull.call("startWorker", worker="w", opts=HOUR)
    await ours.enqueue_many("job", [{}, {}])
    await heard.until("completed", count=2)
    await bull.call("stopWorker", worker="w", force=True)  # not after its wait
    async with corral_worker(bull.url, bull.prefix, bull.name, limiter=RateLimit(2, per=3600)) as worker:
        await bull.add("job", {})
        await corral_waits(raw)
        assert worker.ran == []
    assert await bull.counts() == {"waiting": 1, "completed": 2}


@row("rate-limit", FROM_CORRAL)
async def test_what_corral_started_counts_for_node(bull: NodeQueue, ours: QueueClient, heard: Heard) -> None:
    """The other way round."""
    async with corral_worker(bull.url, bull.prefix, bull.name, limiter=RateLimit(2, per=3600)):
        await ours.enqueue_many("job", [{}, {}])
        await heard.until("completed", count=2)
    await node_looks(bull, ours, heard, **HOUR)
    assert await bull.call("workerRan", worker="w") == []


@row("rate-limit", *BOTH)
async def test_one_rate_for_all(
    bull: NodeQueue, ours: QueueClient, heard: Heard, client: Client, queue_name: str
) -> None:
    """A limit of the queue that Corral sets: workers of both kinds start no more than that, window after window."""
    await set_rate(client.server, client.server.keys(queue_name), RateLimit(3, per=0.3))
    await bull.call("startWorker", worker="w", opts={"concurrency": 1})
    async with corral_worker(bull.url, bull.prefix, bull.name, concurrency=1):
        await ours.enqueue_many("job", [{}] * 12)
        await heard.until("completed", count=12)
    jobs = await ours.jobs("completed", limit=20)
    starts = sorted(job.processed_on for job in jobs if job.processed_on is not None)
    # Node writes its own clock's time, taken before the call.
    assert starts[-1] - starts[0] >= timedelta(seconds=0.9 - 0.05)
    assert all(
        later - first >= timedelta(seconds=0.25) for first, later in zip(starts, starts[6:], strict=False)
    )


@row("rate-limit-dynamic", FROM_NODE)
async def test_corral_holds_off_when_node_is_told_to(
    bull: NodeQueue, ours: QueueClient, heard: Heard, raw: Raw, client: Client, queue_name: str
) -> None:
    """A processor of Node's that was told to wait stops Corral's workers too, also those without a limiter; when that
    is ended, its job runs first."""
    await bull.call("startWorker", worker="w", opts=HOUR)
    first = await bull.add("first", WAIT)
    await heard.until("waiting", count=2, job_id=first)
    await bull.call("stopWorker", worker="w", force=True)  # not after its wait
    async with corral_worker(bull.url, bull.prefix, bull.name, concurrency=1) as worker:
        second = await ours.enqueue("second", {})
        await corral_waits(raw)
        assert worker.ran == []
        await hold_starts(client.server, client.server.keys(queue_name), 0)
        await heard.until("completed", count=2)
    assert [job.id for job in worker.ran] == [first, second.id]


@row("rate-limit-dynamic", FROM_CORRAL)
async def test_node_holds_off_when_corral_is_told_to(
    bull: NodeQueue, ours: QueueClient, heard: Heard
) -> None:
    """A handler of Corral's that raises `RateLimited` stops Node's workers that have a limiter."""
    async with corral_worker(bull.url, bull.prefix, bull.name):
        job = await ours.enqueue("first", WAIT)
        await heard.until("waiting", count=2, job_id=job.id)
    await node_looks(bull, ours, heard, **HOUR)
    assert await bull.call("workerRan", worker="w") == []
    assert (await bull.job(job.id))["attemptsMade"] == 0
    assert await bull.state(job.id) == "waiting"


@row("concurrency", FROM_CORRAL)
async def test_node_leaves_corrals_place(
    bull: NodeQueue, ours: QueueClient, heard: Heard, client: Client, queue_name: str
) -> None:
    """With a concurrency of 1 that Corral sets, Node starts nothing while a Corral worker runs a job."""
    await set_concurrency(client.server, client.server.keys(queue_name), 1)
    async with corral_worker(bull.url, bull.prefix, bull.name, concurrency=1) as worker:
        job = await ours.enqueue("held", GATE)
        await heard.until("active", job_id=job.id)
        await bull.call("startWorker", worker="w", opts={})
        await somebody_looks(bull, heard)
        assert await bull.call("workerRan", worker="w") == []
        worker.gates["g"].set()
        await heard.until("completed", count=2)


@row("concurrency", FROM_NODE)
async def test_corral_leaves_nodes_place(bull: NodeQueue, ours: QueueClient, heard: Heard) -> None:
    """With a concurrency of 1 that Node sets, Corral starts nothing while a Node worker runs a job."""
    await bull.call("setGlobalConcurrency", concurrency=1)
    await bull.call("startWorker", worker="w", opts={})
    held = await bull.add("held", GATE)
    await heard.until("active", job_id=held)
    async with corral_worker(bull.url, bull.prefix, bull.name) as worker:
        await bull.add("other", {})
        await somebody_looks(bull, heard)
        assert worker.ran == []
        await bull.call("openGate", gate="g")
        await heard.until("completed", count=3)


async def somebody_looks(bull: NodeQueue, heard: Heard) -> None:
    """A worker that has room has asked for jobs: it has put one in line that came due."""
    job = await bull.add("due", {}, delay=1)
    await heard.until("waiting", job_id=job)


async def test_how_long_nothing_starts(bull: NodeQueue, operated: QueueAdmin) -> None:
    """Both sides tell the same time to live, whoever let the queue wait."""
    assert await operated.held_for() == 0
    await operated.hold(timedelta(hours=1))
    assert 3_590_000 < await bull.call("getRateLimitTtl") <= 3_600_000
    await operated.hold(0)
    await bull.call("rateLimit", ms=1_800_000)
    assert 1790 < await operated.held_for() <= 1800
