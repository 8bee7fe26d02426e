"""`durability=` makes `enqueue` wait for a disk or a replica, or says that it cannot."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from corral import Client, DurabilityUnavailable, InvalidOption, JobState
from tests.servers import ServerProcess

MakeServer = Callable[..., ServerProcess]
MakeClient = Callable[..., Client]


def needs_waitaof(server_kind: str) -> None:
    """Redis 7.0 has no WAITAOF."""
    if server_kind == "redis7":
        pytest.skip("WAITAOF came with Redis 7.2")


async def test_a_disk_confirms(
    make_server: MakeServer, make_client: MakeClient, queue_name: str, server_kind: str
) -> None:
    """With an append-only file, `fsync` returns when the job is on disk: killed the next moment, the server has it."""
    needs_waitaof(server_kind)
    server = make_server(appendonly="everysec")
    queue = make_client(server.url).queue(queue_name)
    for number in range(3):
        job = await queue.enqueue("job", number, durability="fsync")
        server.kill9()
        await asyncio.to_thread(server.start)
        assert await job.state() is JobState.WAITING
    jobs = await queue.enqueue_many("job", [1, 2, 3], durability="fsync")
    assert [job.created for job in jobs] == [True, True, True]


async def test_no_append_only_file(make_server: MakeServer, make_client: MakeClient, queue_name: str) -> None:
    """A server without one cannot give `fsync`: an error that says what to do, and nothing stored."""
    server = make_server()
    queue = make_client(server.url).queue(queue_name)
    with pytest.raises(DurabilityUnavailable, match=r"append|WAITAOF"):
        await queue.enqueue("job", 1, durability="fsync")
    assert sum((await queue.counts()).values()) == 0


async def test_no_replica(make_server: MakeServer, make_client: MakeClient, queue_name: str) -> None:
    """A server without a replica cannot give `replicated`: an error, and nothing stored."""
    server = make_server()
    queue = make_client(server.url).queue(queue_name)
    with pytest.raises(DurabilityUnavailable, match="replica"):
        await queue.enqueue("job", 1, durability="replicated")
    assert sum((await queue.counts()).values()) == 0


async def test_a_replica_confirms_or_does_not(
    make_server: MakeServer, make_client: MakeClient, queue_name: str
) -> None:
    """With a replica, `replicated` returns when it has the job. When it stands still, the error says that the job is
    stored all the same."""
    server = make_server()
    replica = make_server(args=["--replicaof", f"127.0.0.1 {server.port}"])
    queue = make_client(server.url, timeout=1.5).queue(queue_name)
    async with asyncio.timeout(20):
        while True:
            try:
                job = await queue.enqueue("job", 1, durability="replicated")
                break
            except DurabilityUnavailable:  # it is not connected yet
                await asyncio.sleep(0)
    copy = make_client(replica.url).queue(queue_name)
    kept = await copy.get(job.id)
    assert kept is not None
    replica.freeze()
    with pytest.raises(DurabilityUnavailable, match="stored"):
        await queue.enqueue("job", 2, job_id="stored", durability="replicated")
    assert await queue.job("stored").state() is JobState.WAITING
    replica.thaw()


async def test_a_lost_connection_while_waiting(
    make_server: MakeServer, make_client: MakeClient, queue_name: str, server_kind: str
) -> None:
    """The server goes while `enqueue` waits for its disk: the error is one of Corral's, and says what is known."""
    needs_waitaof(server_kind)
    server = make_server(appendonly="everysec")
    queue = make_client(server.url, timeout=1.0).queue(queue_name)
    await queue.enqueue("job", 0, durability="fsync")
    calls = [asyncio.ensure_future(queue.enqueue("job", n, durability="fsync")) for n in range(3)]
    await (await queue.enqueue("job", 9)).state()
    server.kill9()
    for outcome in await asyncio.gather(*calls, return_exceptions=True):
        assert not isinstance(outcome, BaseException) or type(outcome).__name__ in (
            "DurabilityUnavailable",
            "ServerUnavailable",
        )


async def test_others_do_not_wait(
    make_server: MakeServer, make_client: MakeClient, queue_name: str, server_kind: str
) -> None:
    """Calls with and without durability at the same time: each gets what it asked for."""
    needs_waitaof(server_kind)
    server = make_server(appendonly="always")
    queue = make_client(server.url).queue(queue_name)
    calls = [
        queue.enqueue("job", n, durability="fsync") if n % 2 else queue.enqueue("job", n) for n in range(40)
    ]
    jobs = await asyncio.gather(*calls)
    assert {job.created for job in jobs} == {True}
    assert (await queue.counts())[JobState.WAITING] == 40


async def test_a_wrong_word(make_client: MakeClient, redis_url: str, queue_name: str) -> None:
    """Only what is known is accepted."""
    with pytest.raises(InvalidOption, match="fsync"):
        await make_client(redis_url).queue(queue_name).enqueue("job", durability="very")  # type: ignore[arg-type]
