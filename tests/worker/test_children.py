"""Flows in the worker: results of children in the parent, and children that a handler adds while it runs."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import redis.asyncio
from pydantic import BaseModel

from corral import (
    BlockingContext,
    Client,
    Context,
    FailedChild,
    InThread,
    InvalidFlow,
    JobFailed,
    JobState,
    Queue,
    Unrecoverable,
    WaitForChildren,
    Worker,
)


class Parcel(BaseModel):
    """A payload."""

    number: int
    fails: bool = False


class Shipped(BaseModel):
    """A result."""

    label: str


class Shop:
    """Tasks of two queues: `ship` makes a label or fails; tests add their parents to `orders`."""

    def __init__(self, name: str) -> None:
        self.orders, self.shipping = Queue(name), Queue(f"{name}-ship")
        self.shipped: list[int] = []

        @self.shipping.task(attempts=1)
        async def ship(parcel: Parcel) -> Shipped:
            self.shipped.append(parcel.number)
            if parcel.fails:
                raise Unrecoverable(f"no address for {parcel.number}")
            return Shipped(label=f"L{parcel.number}")

        self.ship = ship

    def worker(self, client: Client, **options: Any) -> Worker:
        """A worker for both queues."""
        return Worker(self.orders, self.shipping, client=client, **options)

    def parcels(self, *numbers: int, **options: Any) -> list[Any]:
        """A node for each number; negative ones fail."""
        return [self.ship.node(Parcel(number=n, fails=n < 0), **options) for n in numbers]


@pytest.fixture
def shop(queue_name: str) -> Shop:
    """A shop of this test's own."""
    return Shop(queue_name)


async def test_results_of_children(client: Client, shop: Shop) -> None:
    """A parent reads what its children returned: typed, validated, in the order in which they were added."""

    @shop.orders.task
    async def note(text: str) -> str:
        return text

    @shop.orders.task
    async def close(_: None, ctx: Context) -> tuple[list[str], str]:
        shipped = await ctx.children(shop.ship)
        return [one.label for one in shipped], await ctx.child(note)

    children = shop.parcels(3, 1, 2)
    async with shop.worker(client, concurrency=1):
        flow = await close.node(None, children=[*children, note.node("thanks")]).enqueue(client)
        assert await flow.result(timeout=10) == (["L3", "L1", "L2"], "thanks")


async def test_a_child_that_is_not_kept(client: Client, shop: Shop) -> None:
    """A result outlives its job."""

    @shop.orders.task
    async def close(_: None, ctx: Context) -> list[str]:
        return [one.label for one in await ctx.children(shop.ship)]

    async with shop.worker(client):
        nodes = shop.parcels(1, 2, remove_on_complete=True)
        flow = await close.node(None, children=nodes).enqueue(client)
        assert await flow.result(timeout=10) == ["L1", "L2"]
        assert await flow.job(nodes[0]).state() is JobState.UNKNOWN


async def test_not_exactly_one_child(client: Client, shop: Shop) -> None:
    """`ctx.child` is for the one step before."""

    @shop.orders.task(attempts=1)
    async def close(_: None, ctx: Context) -> str:
        return (await ctx.child(shop.ship)).label

    async with shop.worker(client):
        for numbers in ((), (1, 2)):
            flow = await close.node(None, children=shop.parcels(*numbers)).enqueue(client)
            with pytest.raises(JobFailed, match=f"{len(numbers)} completed children"):
                await flow.result(timeout=10)


@pytest.mark.parametrize("policy", ["ignore", "continue_parent"])
async def test_tolerated_failures(client: Client, shop: Shop, policy: Any) -> None:
    """A parent that goes on can say why a child failed."""
    seen: list[FailedChild] = []

    @shop.orders.task
    async def close(_: None, ctx: Context) -> int:
        seen.extend(await ctx.failed_children())
        return len(seen)

    (node,) = shop.parcels(-7, on_failure=policy)
    async with shop.worker(client):
        flow = await close.node(None, children=[node]).enqueue(client)
        assert await flow.result(timeout=10) == 1
    assert seen == [FailedChild(flow.job(node).id, shop.shipping.queue, "no address for -7")]


class TestChildrenAtRunTime:
    """A handler adds children to its own job, waits, and runs again."""

    async def test_two_phases(self, client: Client, shop: Shop) -> None:
        """`run_children` raises until all have completed, then gives the results in the order of its nodes."""
        starts: list[int] = []

        @shop.orders.task
        async def close(numbers: list[int], ctx: Context) -> list[str]:
            starts.append(ctx.attempt)
            shipped = await ctx.run_children(shop.parcels(*numbers))
            return [one.label for one in shipped]

        async with shop.worker(client):
            job = await close.enqueue(client, [2, 1, 2])
            assert await job.result(timeout=10) == ["L2", "L1", "L2"]
        assert sorted(shop.shipped) == [1, 2, 2]
        assert len(starts) >= 2
        assert set(starts) == {1}, "waiting spends no attempt"

    async def test_one_after_the_other(self, client: Client, shop: Shop) -> None:
        """Several waits in one handler are several phases; each child runs once."""

        @shop.orders.task
        async def close(_: None, ctx: Context) -> list[str]:
            (first,) = await ctx.run_children(shop.parcels(1))
            (second,) = await ctx.run_children(shop.parcels(2))
            return [first.label, second.label]

        async with shop.worker(client):
            assert await (await close.enqueue(client, None)).result(timeout=10) == ["L1", "L2"]
        assert shop.shipped == [1, 2]

    async def test_by_hand(self, client: Client, shop: Shop) -> None:
        """The same with the parts: children there already means the second phase."""

        @shop.orders.task
        async def close(_: None, ctx: Context) -> list[str]:
            shipped = await ctx.children(shop.ship)
            if not shipped:
                handles = await ctx.add_children(shop.parcels(1, 2))
                assert [job.queue for job in handles] == [shop.shipping.queue] * 2
                raise WaitForChildren
            return [one.label for one in shipped]

        async with shop.worker(client):
            assert await (await close.enqueue(client, None)).result(timeout=10) == ["L1", "L2"]

    async def test_a_second_attempt_adds_none_twice(self, client: Client, shop: Shop) -> None:
        """A run that failed between adding and waiting is repeated, its children are not; in whatever order."""

        @shop.orders.task(attempts=3, backoff=0.01)
        async def close(_: None, ctx: Context) -> list[str]:
            if ctx.attempt == 1:
                await ctx.add_children(shop.parcels(1, 2))
                raise ValueError("between")
            return [one.label for one in await ctx.run_children(shop.parcels(3, 2, 1))]

        async with shop.worker(client):
            assert await (await close.enqueue(client, None)).result(timeout=10) == ["L3", "L2", "L1"]
        assert sorted(shop.shipped) == [1, 2, 3]

    async def test_many(self, client: Client, shop: Shop) -> None:
        """More children than one call takes."""

        @shop.orders.task
        async def close(count: int, ctx: Context) -> int:
            return len(await ctx.run_children(shop.parcels(*range(count))))

        async with shop.worker(client, concurrency=50):
            assert await (await close.enqueue(client, 1203)).result(timeout=30) == 1203
        assert sorted(shop.shipped) == list(range(1203))

    async def test_calls_at_the_same_time(self, client: Client, shop: Shop) -> None:
        """A handler may add children from several tasks of its own: the calls take turns, and none is refused."""

        @shop.orders.task(attempts=1)
        async def close(count: int, ctx: Context) -> list[str]:
            if not await ctx.children(shop.ship):
                added = await asyncio.gather(*(ctx.add_children(shop.parcels(n)) for n in range(count)))
                assert [len(handles) for handles in added] == [1] * count
                raise WaitForChildren
            return sorted(one.label for one in await ctx.children(shop.ship))

        async with shop.worker(client):
            job = await close.enqueue(client, 20)
            assert await job.result(timeout=10) == sorted(f"L{n}" for n in range(20))

    async def test_waits_at_the_same_time(self, client: Client, shop: Shop) -> None:
        """So may calls that wait for what they add: in the end each has its results."""

        @shop.orders.task(attempts=1)
        async def close(count: int, ctx: Context) -> list[str]:
            found = await asyncio.gather(*(ctx.run_children(shop.parcels(n)) for n in range(count)))
            return [one.label for shipped in found for one in shipped]

        async with shop.worker(client):
            job = await close.enqueue(client, 20)
            assert await job.result(timeout=10) == [f"L{n}" for n in range(20)]
        assert sorted(shop.shipped) == list(range(20))

    async def test_a_failed_child_fails_the_parent(self, client: Client, shop: Shop) -> None:
        """Without the handler running again."""
        starts: list[int] = []

        @shop.orders.task
        async def close(_: None, ctx: Context) -> None:
            starts.append(1)
            await ctx.run_children(shop.parcels(-1))

        async with shop.worker(client):
            with pytest.raises(JobFailed, match="child"):
                await (await close.enqueue(client, None)).result(timeout=10)
        assert len(starts) == 1

    async def test_a_tolerated_child(self, client: Client, shop: Shop) -> None:
        """There is no result for it: the handler meets its failure where it asks for the results."""

        @shop.orders.task(attempts=1)
        async def close(_: None, ctx: Context) -> str:
            try:
                await ctx.run_children(shop.parcels(1, -2, on_failure="ignore"))
            except JobFailed as error:
                return error.reason
            return ""

        async with shop.worker(client):
            assert await (await close.enqueue(client, None)).result(timeout=10) == "no address for -2"

    async def test_a_tree(self, client: Client, shop: Shop) -> None:
        """What is added may have children itself; its result is the root's."""

        @shop.orders.task
        async def pack(_: None, ctx: Context) -> int:
            return len(await ctx.children(shop.ship))

        @shop.orders.task
        async def close(_: None, ctx: Context) -> list[int]:
            return await ctx.run_children([pack.node(None, children=shop.parcels(1, 2))])

        async with shop.worker(client):
            assert await (await close.enqueue(client, None)).result(timeout=10) == [2]

    async def test_in_a_thread(self, client: Client, shop: Shop) -> None:
        """A blocking handler has the same verbs, blocking."""

        @shop.orders.task(run=InThread)
        def close(_: None, ctx: BlockingContext) -> list[str]:
            labels = [one.label for one in ctx.run_children(shop.parcels(1, 2))]
            ids = ctx.add_children(shop.parcels(1))
            assert len(ids) == 1
            assert ctx.child(shop.ship) if len(labels) == 1 else ctx.failed_children() == []
            return [*labels, *(one.label for one in ctx.children(shop.ship))]

        async with shop.worker(client):
            assert await (await close.enqueue(client, None)).result(timeout=10) == ["L1", "L2", "L1", "L2"]

    async def test_waiting_for_nobody(self, client: Client, shop: Shop) -> None:
        """A handler that waits for children and has had none fails, instead of running for ever."""

        @shop.orders.task
        async def close(_: None) -> None:
            raise WaitForChildren

        async with shop.worker(client):
            with pytest.raises(JobFailed, match="has none"):
                await (await close.enqueue(client, None)).result(timeout=10)

    async def test_returning_too_early(self, client: Client, shop: Shop) -> None:
        """A job whose children have not ended cannot complete; the reason has the remedy."""

        @shop.orders.task
        async def close(_: None, ctx: Context) -> None:
            await ctx.add_children(shop.parcels(1))

        async with Worker(shop.orders, client=client):
            with pytest.raises(JobFailed, match="WaitForChildren"):
                await (await close.enqueue(client, None)).result(timeout=10)

    async def test_a_child_of_another(self, client: Client, shop: Shop) -> None:
        """What cannot be added is an error of the handler."""
        held = asyncio.Event()

        @shop.orders.task(attempts=1)
        async def close(_: None, ctx: Context) -> str:
            try:
                await ctx.add_children(shop.parcels(1, job_id="taken"))
            except InvalidFlow as error:
                return error.kind
            finally:
                held.set()
            return ""

        other = await close.node(None, children=shop.parcels(1, job_id="taken", delay=60)).enqueue(client)
        async with shop.worker(client):
            assert await (await close.enqueue(client, None)).result(timeout=10) == "other-parent"
        assert await other.state() is JobState.WAITING_CHILDREN


@pytest.mark.parametrize("whom", ["itself", "its parent"])
async def test_a_circle(client: Client, shop: Shop, whom: str) -> None:
    """A job that adds itself, or one that waits for it, as a child is refused, and nothing is changed."""

    @shop.orders.task(attempts=1)
    async def close(_: None, ctx: Context) -> str:
        try:
            await ctx.add_children([close.node(None, job_id="c" if whom == "itself" else "p")])
        except InvalidFlow as error:
            return error.kind
        return ""

    child = close.node(None, job_id="c")
    async with Worker(shop.orders, client=client):
        flow = await close.node(None, job_id="p", children=[child]).enqueue(client)
        assert await flow.job(child).result(timeout=10) == "circular"


async def test_a_worker_that_dies_in_between(client: Client, shop: Shop, raw: redis.asyncio.Redis) -> None:
    """A parent that waits needs no worker: another one runs it when its children have ended."""

    @shop.orders.task
    async def close(_: None, ctx: Context) -> list[str]:
        return [one.label for one in await ctx.run_children(shop.parcels(1))]

    job = await close.enqueue(client, None)
    async with (
        Worker(shop.orders, client=client),
        client.queue(shop.orders.queue).events(after="0-0") as events,
    ):
        async for event in events:
            if event.name == "waiting-children":
                break
    async with shop.worker(client):
        assert await job.result(timeout=10) == ["L1"]
