"""One reader for all who wait for jobs of a queue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
import redis.asyncio

from corral import Client, JobGone
from corral.client.event_hub import EventHub
from corral.client.queue import QueueClient
from tests.faults.proxy import Proxy


@pytest.fixture
def hub(client: Client, queue_name: str) -> EventHub:
    """A hub of its own, on the client's server."""
    return EventHub(client.server, queue_name)


async def tell(raw: redis.asyncio.Redis, prefix: str, queue: str, name: str, job_id: str) -> None:
    """Write an event, as a worker's script does."""
    await raw.xadd(f"{prefix}:{queue}:events", {"event": name, "jobId": job_id})


async def test_a_waiter_is_told_of_its_own_job(
    hub: EventHub, raw: redis.asyncio.Redis, prefix: str, queue_name: str
) -> None:
    """Each future gets the event that ends its job, and no other: not one of another job, not one that ends nothing."""
    async with hub.watching("a") as a, hub.watching("b") as b, asyncio.timeout(30):
        for name in ("waiting", "active", "progress", "delayed"):
            await tell(raw, prefix, queue_name, name, "a")
        await tell(raw, prefix, queue_name, "completed", "b")
        assert (await b)["event"] == "completed"
        assert not a.done()
        await tell(raw, prefix, queue_name, "failed", "a")
        assert await a == {"event": "failed", "jobId": "a"}
    await hub.close()


async def test_all_waiters_of_a_job_are_told(
    hub: EventHub, raw: redis.asyncio.Redis, prefix: str, queue_name: str
) -> None:
    """Several may wait for one job; one that goes away early, or is cancelled, disturbs none of the others."""
    async with hub.watching("a") as one, hub.watching("a") as other, asyncio.timeout(30):

        async def wait() -> None:
            async with hub.watching("a") as future:
                await future

        cancelled = asyncio.ensure_future(wait())
        async with hub.watching("a"):
            pass
        cancelled.cancel()
        await asyncio.wait({cancelled})
        await tell(raw, prefix, queue_name, "completed", "a")
        assert await one == await other
    await hub.close()


async def test_what_happens_after_the_wait_began_is_told(
    hub: EventHub, raw: redis.asyncio.Redis, prefix: str, queue_name: str
) -> None:
    """The place in the stream is fixed when the block is entered: an end right then is not missed, and an end from
    before is not taken for a new one (the same id can be used again)."""
    for _ in range(50):
        await tell(raw, prefix, queue_name, "failed", "a")
        own = EventHub(hub._server, queue_name)
        async with own.watching("a") as future, asyncio.timeout(30):
            await tell(raw, prefix, queue_name, "completed", "a")
            assert (await future)["event"] == "completed"
        await own.close()


async def test_many_waiters_are_one_reader(
    make_client: Callable[..., Client], proxy: Proxy, queue_name: str
) -> None:
    """Hundreds of waits on a queue share one connection, and read the stream once."""
    hub = EventHub(make_client(proxy.url).server, queue_name)

    async def wait(number: int) -> None:
        async with hub.watching(f"job-{number}") as future:
            await future

    waits = [asyncio.ensure_future(wait(number)) for number in range(300)]
    async with asyncio.timeout(30):
        while not proxy.requests_with(b"XREAD"):
            await asyncio.sleep(0)
    assert (proxy.connections, proxy.requests_with(b"XREAD\r\n")) == (1, 1)
    await hub.close()
    await asyncio.wait(waits)


async def test_close_cancels_whoever_waits(hub: EventHub) -> None:
    """Nobody waits for a reader that is gone."""
    async with hub.watching("a") as future:
        await hub.close()
        assert future.cancelled()


async def test_it_reads_again_after_close(
    hub: EventHub, raw: redis.asyncio.Redis, prefix: str, queue_name: str
) -> None:
    """A wait that begins after `close` has a new reader."""
    for _ in range(2):
        async with hub.watching("a") as future, asyncio.timeout(30):
            await tell(raw, prefix, queue_name, "completed", "a")
            await future
        await hub.close()


async def test_ids_are_those_in_redis(queue: QueueClient) -> None:
    """Ids that are written otherwise in Redis are found all the same."""
    job = await queue.enqueue("nobody", job_id="a:b")
    waiting = asyncio.ensure_future(job.result(timeout=30))
    async with queue.events() as events:
        await asyncio.sleep(0)
        await job.remove()
        async for event in events:
            if event.name == "removed":
                assert event.job_id == "a:b"
                break
    with pytest.raises(JobGone):
        await waiting
