"""Enqueueing flows through clients."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import redis.asyncio

from corral import (
    Client,
    Deduplication,
    DurabilityUnavailable,
    InvalidFlow,
    InvalidJobId,
    JobState,
    Queue,
    ServerUnavailable,
    SyncClient,
    chain,
)
from corral.client.queue import QueueClient
from tests.faults.proxy import Proxy


@pytest.fixture
def tasks(queue_name: str) -> Queue:
    """Tasks of one queue; nobody runs them here."""
    return Queue(queue_name)


@pytest.fixture
def step(tasks: Queue) -> Any:
    """Any task."""

    @tasks.task
    async def step(number: int) -> int:
        return number

    return step


async def test_a_flow_is_added(client: Client, queue: QueueClient, step: Any) -> None:
    """The root's handle has those of all jobs, each parent before its children."""
    leaf = step.node(3)
    middle = step.node(2, children=[leaf])
    root = step.node(1, children=[middle, other := step.node(4)])
    flow = await root.enqueue(client)
    assert flow.created
    assert flow.job(root) is flow
    assert list(flow.jobs) == [flow, flow.job(middle), flow.job(leaf), flow.job(other)]
    states = [await job.state() for job in flow.jobs]
    waits = JobState.WAITING_CHILDREN
    assert states == [waits, waits, JobState.WAITING, JobState.WAITING]
    job = await queue.get(flow.job(leaf).id)
    assert job is not None
    assert job.parent_key is not None
    assert job.parent_key.endswith(flow.job(middle).id)
    with pytest.raises(KeyError, match="no node of this flow"):
        flow.job(step.node(3))


async def test_the_same_flow_again(client: Client, queue: QueueClient, step: Any) -> None:
    """A root with an id is one flow, however often it is enqueued."""

    def flow() -> Any:
        return step.node(1, job_id="order:7", children=[step.node(2), step.node(3)])

    first = await flow().enqueue(client)
    again = await flow().enqueue(client)
    assert [job.created for job in again.jobs] == [False] * 3
    assert [job.id for job in again.jobs] == [job.id for job in first.jobs]
    assert sum((await queue.counts()).values()) == 3


async def test_a_flow_without_children(client: Client, step: Any) -> None:
    """A lone node is a job like any other."""
    flow = await step.node(1).enqueue(client)
    assert await flow.state() is JobState.WAITING


async def test_deduplication_of_the_root(client: Client, queue: QueueClient, step: Any) -> None:
    """A flow that means the same as one that is there is not added; its handle leads to the other."""
    first = await step.node(1, deduplication="d", children=[step.node(2)]).enqueue(client)
    second = await step.node(1, deduplication="d", children=[step.node(2)]).enqueue(client)
    assert (second.id, second.created) == (first.id, False)
    assert sum((await queue.counts()).values()) == 2


async def test_a_child_of_another_flow(client: Client, queue: QueueClient, step: Any) -> None:
    """A job has one parent: the flow is refused as a whole, and says which job it is about."""
    await step.node(1, children=[step.node(2, job_id="invoice:7")]).enqueue(client)
    before = await queue.counts()
    with pytest.raises(InvalidFlow, match="'invoice:7'") as error:
        await step.node(3, children=[step.node(2, job_id="invoice:7")]).enqueue(client)
    assert (error.value.kind, error.value.job_id) == ("other-parent", "invoice:7")
    assert await queue.counts() == before


async def test_two_flows_that_make_a_circle(client: Client, queue: QueueClient, step: Any) -> None:
    """Jobs that exist cannot wait for each other: the second flow is refused as a whole, and nothing is changed."""
    leaf = step.node(3)
    await step.node(1, job_id="a", children=[step.node(2, job_id="b", children=[leaf])]).enqueue(client)
    before = await queue.counts()
    with pytest.raises(InvalidFlow, match="'a'") as error:
        await step.node(2, job_id="b", children=[step.node(4), step.node(1, job_id="a")]).enqueue(client)
    assert error.value.kind == "circular"
    assert await queue.counts() == before


async def test_a_flow_that_is_too_large(client: Client, queue: QueueClient, step: Any) -> None:
    """However deep or wide: the bound and the remedy are in the message, and nothing is added."""
    deep: Any = chain(*[step.node(number) for number in range(9_999)], step.node(0))
    wide = step.node(0, children=[step.node(number) for number in range(10_000)])
    for flow in (deep, wide):
        assert repr(flow).endswith("below it)")
        with pytest.raises(InvalidFlow, match=r"500 jobs.*ctx\.add_children") as error:
            await flow.enqueue(client)
        assert error.value.kind == "too-large"
    assert sum((await queue.counts()).values()) == 0


@pytest.mark.parametrize("job_id", ["7", "0", "", "repeat:s:1", "a\nb", "x" * 201])
async def test_a_forbidden_id(client: Client, queue: QueueClient, step: Any, job_id: str) -> None:
    """A node with an id that no job may have is an error of the line that makes it."""
    with pytest.raises(InvalidJobId):
        step.node(1, children=[step.node(2, job_id=job_id)])


async def test_a_child_that_is_replaced(client: Client, step: Any) -> None:
    """A delayed job that a newer one replaces (debounce) while a flow waits for it lets that flow go on."""
    rule = Deduplication("d", ttl=60, extend=True, replace=True)
    await step.enqueue(client, 1, job_id="old", delay=60, deduplication=rule)
    flow = await step.node(0, children=[step.node(1, job_id="old")]).enqueue(client)
    assert await flow.state() is JobState.WAITING_CHILDREN
    newer = await step.enqueue(client, 2, delay=60, deduplication=rule)
    assert newer.created
    assert await flow.state() is JobState.WAITING


async def test_a_lost_reply_adds_nothing_twice(
    make_client: Callable[..., Client], proxy: Proxy, raw: redis.asyncio.Redis, queue_name: str, step: Any
) -> None:
    """The call is sent again until it is answered, and recognised."""
    client = make_client(proxy.url, timeout=5)
    await step.node(0).enqueue(client)
    proxy.lose_reply(b"EVALSHA")
    flow = await step.node(1, children=[step.node(2)]).enqueue(client)
    assert [job.created for job in flow.jobs] == [True, True]
    assert sum((await client.queue(queue_name).counts()).values()) == 3


async def test_flows_at_the_same_time(client: Client, queue: QueueClient, step: Any) -> None:
    """Callers take turns on few connections, and `close` waits for them."""
    calls = [step.node(n, children=[step.node(n)]).enqueue(client) for n in range(40)]
    added = await asyncio.gather(*calls)
    assert len({flow.id for flow in added}) == 40
    assert (await queue.counts())[JobState.WAITING_CHILDREN] == 40
    await client.close()
    await step.node(1).enqueue(client)


async def test_durability(client: Client, step: Any) -> None:
    """What the root asks for holds for the flow; what the server cannot give is refused before anything is added."""
    with pytest.raises(DurabilityUnavailable):
        await step.node(1, durability="replicated", children=[step.node(2)]).enqueue(client)


async def test_an_unreachable_server(make_client: Callable[..., Client], step: Any) -> None:
    """Says so after the client's timeout."""
    client = make_client("redis://localhost:1", timeout=0.3)
    with pytest.raises(ServerUnavailable):
        await step.node(1).enqueue(client)


def test_without_a_loop(redis_url: str, prefix: str, step: Any) -> None:
    """A blocking client gives blocking handles."""
    with SyncClient(redis_url, prefix=prefix) as client:
        child = step.node(2)
        flow = step.node(1, children=[child]).enqueue(client)
        assert flow.state() is JobState.WAITING_CHILDREN
        assert flow.job(child).state() is JobState.WAITING
        assert [job.created for job in flow.jobs] == [True, True]
