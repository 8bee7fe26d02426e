"""`durability=`: `enqueue` returns when the job is as safe as was asked, and is an error before anything is stored
where the server cannot do that. A server that is full takes nothing either."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
import redis.asyncio

from corral import Client, DurabilityUnavailable, JobState, Queue, QueueFull, Worker
from corral.client.queue import QueueClient
from corral.engine.script import load
from tests.faults.proxy import Proxy
from tests.servers import ServerProcess

Make = Callable[..., Client]
MakeServer = Callable[..., ServerProcess]
ADD = load("enqueue/add_jobs").sha.encode()


@pytest.fixture
def needs_waitaof(server_kind: str) -> None:
    """Redis before 7.2 has no WAITAOF, which a test of its own holds."""
    if server_kind == "redis7":
        pytest.skip("this server has no WAITAOF")


@pytest.fixture
async def pair(make_server: MakeServer) -> tuple[ServerProcess, ServerProcess]:
    """A server, and a replica that follows it."""
    primary = make_server()
    replica = make_server(args=["--replicaof", "127.0.0.1", str(primary.port)])
    async with redis.asyncio.Redis.from_url(primary.url) as look, asyncio.timeout(30):
        while (await look.info("replication")).get("slave0", {}).get("state") != "online":
            await asyncio.sleep(0)
    return primary, replica


@pytest.mark.usefixtures("needs_waitaof")
class TestFsync:
    """The job is in the append-only file, and the file on disk."""

    @pytest.mark.parametrize("policy", ["always", "everysec"])
    async def test_it_waits_for_the_disk(
        self, policy: str, make_server: MakeServer, make_client: Make, queue_name: str
    ) -> None:
        """The server is asked after the job was added; the job is there after a crash."""
        server = make_server(appendonly=policy)
        with Proxy(server.port) as proxy:
            client = make_client(proxy.url)
            job = await client.queue(queue_name).enqueue("job", 1, durability="fsync")
            assert proxy.requests_with(b"WAITAOF") >= 1
            assert ADD not in proxy._requests[-1]
            await client.close()
        server.kill9()
        server.start()
        assert await make_client(server.url).queue(queue_name).job(job.id).state() is JobState.WAITING

    async def test_a_call_sent_again_waits_too(
        self, make_server: MakeServer, make_client: Make, queue_name: str
    ) -> None:
        """When the reply was lost, the job was written by a connection that is gone, and WAITAOF speaks of its own
        connection's writes only: something is written over the new one, so that its answer means this job too."""
        server = make_server(appendonly="everysec")
        with Proxy(server.port) as proxy:
            client = make_client(proxy.url)
            queue = client.queue(queue_name)
            await queue.enqueue("job", 0, durability="fsync")
            proxy.lose_reply(ADD)
            job = await queue.enqueue("job", 1, durability="fsync")
            assert job.created is True
            assert b"PEXPIRE" in proxy._requests[-2]
            assert b"WAITAOF" in proxy._requests[-1]
            await client.close()

    async def test_a_lost_confirmation_is_asked_for_again(
        self, make_server: MakeServer, make_client: Make, queue_name: str
    ) -> None:
        """A connection that breaks while the server syncs its disk costs another question, and no error."""
        server = make_server(appendonly="always")
        with Proxy(server.port) as proxy:
            client = make_client(proxy.url)
            queue = client.queue(queue_name)
            await queue.enqueue("job", 0, durability="fsync")
            rule = proxy.lose_reply(b"WAITAOF")
            job = await queue.enqueue("job", 1, durability="fsync")
            assert rule.seen.is_set()
            assert job.created is True
            assert (await queue.counts())[JobState.WAITING] == 2
            await client.close()

    async def test_a_call_that_a_crash_swallowed_is_made_again(
        self, make_server: MakeServer, make_client: Make, queue_name: str
    ) -> None:
        """A server that loses what it has not synced yet, before it could confirm, gets the call once more: the
        promise is about the job, not about the server's first word."""
        server = make_server(appendonly="everysec")
        with Proxy(server.port) as proxy:
            client = make_client(proxy.url)
            queue = client.queue(queue_name)
            await queue.enqueue("job", 0, durability="fsync")
            rule = proxy.hold(b"WAITAOF")
            call = asyncio.ensure_future(queue.enqueue("job", 1, durability="fsync"))
            assert await asyncio.to_thread(rule.seen.wait, 30)
            async with redis.asyncio.Redis.from_url(server.url) as look:
                await look.flushall()
            proxy.reset()
            job = await call
            assert job.created is True
            assert [kept.id for kept in await queue.jobs(JobState.WAITING)] == [job.id]
            await client.close()

    async def test_a_batch_waits_as_well(
        self, make_server: MakeServer, make_client: Make, queue_name: str
    ) -> None:
        """`enqueue_many` gives the same promise for all its jobs."""
        queue = make_client(make_server(appendonly="always").url).queue(queue_name)
        await queue.enqueue_many("job", list(range(600)), durability="fsync")
        assert (await queue.counts())[JobState.WAITING] == 600


async def test_a_server_without_a_file_cannot_fsync(
    queue: QueueClient, raw: redis.asyncio.Redis, prefix: str
) -> None:
    """No append-only file, or no WAITAOF: a typed error with the remedy, and nothing stored."""
    with pytest.raises(DurabilityUnavailable, match=r"append|7\.2") as refused:
        await queue.enqueue("job", 1, durability="fsync")
    assert refused.value.durability == "fsync"
    assert [key async for key in raw.scan_iter(f"{prefix}*")] == []


async def test_a_server_without_a_replica_cannot_replicate(
    queue: QueueClient, raw: redis.asyncio.Redis, prefix: str
) -> None:
    """No replica: a typed error with the remedy, and nothing stored."""
    with pytest.raises(DurabilityUnavailable, match="REPLICAOF"):
        await queue.enqueue("job", 1, durability="replicated")
    assert [key async for key in raw.scan_iter(f"{prefix}*")] == []


async def test_a_job_is_on_the_replica_when_enqueue_returns(
    pair: tuple[ServerProcess, ServerProcess], make_client: Make, queue_name: str, prefix: str
) -> None:
    """`durability="replicated"`: the replica has the job at once; when it stops answering the error says that the
    job is stored all the same."""
    primary, replica = pair
    queue = make_client(primary.url, timeout=2.0).queue(queue_name)
    async with redis.asyncio.Redis.from_url(replica.url) as look:
        for number in range(20):
            job = await queue.enqueue("job", number, durability="replicated")
            assert await look.exists(f"{prefix}:{queue_name}:{job.id}")
        replica.freeze()
        with pytest.raises(DurabilityUnavailable, match="are stored"):
            await queue.enqueue("job", 20, durability="replicated", job_id="late")
        replica.thaw()
    assert await queue.job("late").state() is JobState.WAITING


async def test_a_full_server_takes_nothing_and_drains(
    make_server: MakeServer, make_client: Make, tasks: Queue, queue_name: str
) -> None:
    """Above maxmemory `enqueue` is `QueueFull` at once and adds nothing, also of a batch; workers go on, and with
    room again so does the same client."""
    server = make_server()
    client = make_client(server.url)
    queue = client.queue(queue_name)
    accepted = [await queue.enqueue("double", number) for number in range(3)]
    async with redis.asyncio.Redis.from_url(server.url) as look:
        await look.config_set("maxmemory", "1")
        before = await look.dbsize()
        with pytest.raises(QueueFull) as full:
            await queue.enqueue("double", 3)
        with pytest.raises(QueueFull):
            await queue.enqueue_many("double", list(range(1000)))
        assert full.value.queue == queue_name
        assert await look.dbsize() == before
        async with Worker(tasks, client=client):
            assert [await job.result(timeout=30) for job in accepted] == [0, 2, 4]
        await look.config_set("maxmemory", "0")
    assert (await queue.enqueue("double", 3)).created is True
