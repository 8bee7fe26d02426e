"""A cluster serves queues by their hash tags, whichever node a program is told of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
import redis

from corral import Admin, Client, Context, Queue, ServerRefused, Worker
from corral.admin.doctor import examine
from corral.admin.finding import Severity
from corral.engine.server import Server
from corral.engine.settings import ServerSettings
from corral.engine.slots import slot_of
from tests.servers import ServerProcess, free_port
from tests.topologies import Cluster

SEVERAL = 9
"""Queues, which with their tags fall on all nodes."""


def doubling(name: str) -> Queue:
    """A queue whose one task doubles numbers."""
    queue = Queue(name)

    @queue.task
    async def double(number: int) -> int:
        return 2 * number

    return queue


def names_of(word: str) -> list[str]:
    """Queue names, each with a tag of its own."""
    return [f"{{{word}-{number}}}" for number in range(SEVERAL)]


@pytest.fixture(params=["all", "first", "second", "third"])
def url(request: pytest.FixtureRequest, cluster: Cluster) -> str:
    """The cluster's own URL, and the plain one of each node."""
    plain = [node.url for node in cluster.nodes]
    return {"all": cluster.url, "first": plain[0], "second": plain[1], "third": plain[2]}[request.param]


async def test_queues_of_all_nodes(url: str, word: str) -> None:
    """One worker serves queues that lie on different nodes, and one client enqueues to them and lists them all."""
    names = names_of(word)
    assert len({slot_of(name) * 3 // 16384 for name in names}) == 3, "the names fall on all nodes"
    async with Client(url, prefix=word) as client, Worker(*map(doubling, names), client=client):
        for number, name in enumerate(names):
            job = await client.queue(name).enqueue("double", number)
            assert await job.result(timeout=20) == 2 * number
        assert await client.queues() == sorted(names)
        async with Admin(url, prefix=word) as admin:
            for name in names:
                assert len(await admin.queue(name).workers()) == 1


async def test_no_hash_tag(cluster: Cluster, word: str) -> None:
    """Without a hash tag a queue is refused before anything is sent, with the remedy."""
    nobody = f"redis+cluster://127.0.0.1:{free_port()}"
    async with Client(nobody, prefix=word) as client:
        with pytest.raises(ServerRefused, match="hash tag"):
            await client.queue("mail").enqueue("double", 1)
    with pytest.raises(ServerRefused, match="hash tag"):
        await Worker(doubling("mail"), url=nobody, prefix=word).run()
    async with Client(cluster.nodes[0].url, prefix=word) as client:
        with pytest.raises(ServerRefused, match="hash tag"):
            await client.queue("mail").enqueue("double", 1)


async def test_locks_are_renewed(url: str, word: str) -> None:
    """A job that runs longer than its lock lasts runs once: the renewer finds the node, too."""
    queue, runs = Queue(f"{{{word}}}"), list[int]()

    @queue.task
    async def long(_: None, ctx: Context) -> None:
        runs.append(ctx.attempt)
        await asyncio.sleep(3)  # a slow handler

    settings = {"lock_duration": 1.0, "stalled_interval": 0.5}
    async with Client(url, prefix=word) as client, Worker(queue, client=client, **settings):  # type: ignore[arg-type]
        await (await long.enqueue(client, None)).result(timeout=20)
    assert runs == [1]


async def test_the_doctor_looks_at_each_node(cluster: Cluster, word: str) -> None:
    """The examination names the node that is worst, and takes a job through its life."""
    server = Server(ServerSettings(cluster.url, word))
    findings = {finding.check: finding for finding in await examine(server)}
    await server.close()
    assert "3 nodes looked at" in findings["role"].found
    assert findings["permission"].severity is Severity.OK
    assert word in findings["hash tag"].found


def move_slot(slot: int, source: ServerProcess, target: ServerProcess) -> None:
    """Move a slot with all its keys to another node, key by key, as redis-cli does."""
    with redis.Redis.from_url(source.url) as here, redis.Redis.from_url(target.url) as there:
        mine, other = here.execute_command("CLUSTER MYID"), there.execute_command("CLUSTER MYID")
        there.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", mine)
        here.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", other)
        while keys := here.execute_command("CLUSTER GETKEYSINSLOT", slot, 10):
            here.execute_command("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys)
        for client in (there, here):
            client.execute_command("CLUSTER SETSLOT", slot, "NODE", other)


async def test_a_slot_moves_under_load(cluster: Cluster, word: str) -> None:
    """Producer and worker follow a queue from node to node and back; every job runs once."""
    prefix, runs = f"{{{word}}}", list[str]()
    queue = Queue("moving")

    @queue.task
    async def note(_: None, ctx: Context) -> None:
        runs.append(ctx.job_id)

    home = cluster.home_of(prefix)
    target = next(node for node in cluster.homes if node is not home)
    stop = asyncio.Event()
    async with Client(cluster.url, prefix=prefix) as client, Worker(queue, client=client):

        async def produce() -> list[str]:
            ids = []
            while not stop.is_set():
                ids.append((await note.enqueue(client, None)).id)
            return ids

        producing = asyncio.ensure_future(produce())
        for source, goal in ((home, target), (target, home)):
            await until(lambda: len(runs) > 50)
            await asyncio.to_thread(move_slot, slot_of(prefix), source, goal)
            runs_before = len(runs)
            await until(lambda: len(runs) > runs_before + 50)  # noqa: B023
        stop.set()
        ids = await producing
        await until(lambda: len(runs) >= len(ids))
    assert sorted(runs) == sorted(ids)


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop go on until a condition holds."""
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0)
