"""The client itself: connects late, closes cleanly, hides passwords."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
import redis.asyncio

from corral import Client, JobState, ServerRefused, ServerUnavailable
from tests.faults.proxy import Proxy
from tests.servers import ServerProcess


async def connections(raw: redis.asyncio.Redis) -> int:
    """How many clients the server has, apart from the one that asks."""
    return len(await raw.client_list()) - 1


async def test_it_connects_at_the_first_use(
    make_client: Callable[..., Client], proxy: Proxy, queue_name: str
) -> None:
    """Making a client, a queue of it and a handle reaches for no server."""
    client = make_client(proxy.url)
    client.queue(queue_name).job("some-id")
    assert proxy.connections == 0
    await client.queue(queue_name).enqueue("job")
    assert proxy.connections == 1


async def test_close_closes_all_connections(
    make_client: Callable[..., Client], redis_url: str, raw: redis.asyncio.Redis, queue_name: str
) -> None:
    """After `close` the server has no connection of this client's left, though it was used in every way."""
    await raw.ping()
    before = await connections(raw)
    client = make_client(redis_url)
    queue = client.queue(queue_name)
    jobs = await asyncio.gather(*(queue.enqueue("job", n) for n in range(50)))
    await asyncio.gather(*(job.state() for job in jobs))
    waiting = asyncio.ensure_future(jobs[0].result())
    await queue.counts()
    await client.close()
    async with asyncio.timeout(10):
        while await connections(raw) != before:  # the server hears of it a moment later
            await asyncio.sleep(0)
    await asyncio.gather(waiting, return_exceptions=True)


async def test_close_lets_calls_under_way_end(
    make_client: Callable[..., Client], proxy: Proxy, raw: redis.asyncio.Redis, queue_name: str
) -> None:
    """A job whose `enqueue` has begun is added, and its caller told, before `close` returns."""
    client = make_client(proxy.url)
    queue = client.queue(queue_name)
    await queue.enqueue("job", 0)
    proxy.latency = 0.1
    calls = [asyncio.ensure_future(queue.enqueue("job", n)) for n in range(1, 6)]
    await asyncio.sleep(0)
    await client.close()
    assert all(call.done() for call in calls)
    assert [call.result().created for call in calls] == [True] * 5
    proxy.latency = 0.0
    assert (await client.queue(queue_name).counts())[JobState.WAITING] == 6


async def test_many_readers_share_a_few_connections(
    make_client: Callable[..., Client], proxy: Proxy, queue_name: str
) -> None:
    """Hundreds of reads at the same time do not open hundreds of connections: servers run out of them."""
    client = make_client(proxy.url)
    queue = client.queue(queue_name)
    jobs = await queue.enqueue_many("job", list(range(300)))
    states = await asyncio.gather(*(job.state() for job in jobs))
    assert set(states) == {JobState.WAITING}
    assert proxy.connections <= 20


async def test_a_wrong_password_is_refused(
    make_server: Callable[..., ServerProcess], make_client: Callable[..., Client], queue_name: str
) -> None:
    """A wrong password is an error at once, that says the remedy and not the password."""
    server = make_server(password="sesame")
    client = make_client(f"redis://:wr0ng@127.0.0.1:{server.port}/0")
    with pytest.raises(ServerRefused, match="REDIS_URL") as refused:
        await client.queue(queue_name).enqueue("job")
    assert "wr0ng" not in str(refused.value)
    assert "wr0ng" not in repr(client)


async def test_reads_fail_after_the_stated_time(
    make_server: Callable[..., ServerProcess], make_client: Callable[..., Client], queue_name: str
) -> None:
    """Counts, states and pages of jobs raise `ServerUnavailable`, naming the server, when nothing answers."""
    server = make_server()
    queue = make_client(server.url, timeout=0.4).queue(queue_name)
    await queue.counts()
    server.freeze()
    for read in (queue.counts, lambda: queue.jobs("waiting"), lambda: queue.get("a"), queue.job("a").state):
        with pytest.raises(ServerUnavailable, match=str(server.port)):
            await read()


async def test_a_read_survives_a_dead_connection(
    make_client: Callable[..., Client], proxy: Proxy, queue_name: str
) -> None:
    """A connection that a firewall has forgotten answers nothing: the read is made again on a new one, in time."""
    queue = make_client(proxy.url, timeout=2.0).queue(queue_name)
    job = await queue.enqueue("job")
    await job.state()
    rule = proxy.swallow(b"EVALSHA")
    assert await job.state() is JobState.WAITING
    assert rule.seen.is_set()
