"""What an operator tells a worker reaches it over Redis, and its record answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest
import redis.asyncio

from corral import Admin, Client, InvalidOption, Queue, Worker, WorkerGone, WorkerRecord, WorkerState
from corral.client.queue import QueueClient
from corral.contracts.names import connection_name
from corral.engine.orders import send_order
from corral.engine.report_worker import write_beat
from tests.contracts.test_worker_record import BEAT
from tests.interop.snapshot import Raw

NAME = "host-7"


async def becomes(admin: Admin, wanted: Callable[[WorkerRecord], bool], name: str = NAME) -> WorkerRecord:
    """The record of a worker, once it is as wanted."""
    async with asyncio.timeout(30):
        while True:
            for worker in await admin.workers():
                if worker.name == name and worker.ours and wanted(worker):
                    return worker


class Gates:
    """Jobs that have begun, and what lets them end."""

    def __init__(self, queue: str) -> None:
        self.tasks = Queue(queue)
        self.begun: list[int] = []
        self.gate = asyncio.Event()
        self.tasks.task(name="wait")(self.wait)

    async def wait(self, number: int) -> None:
        """Wait for the gate."""
        self.begun.append(number)
        await self.gate.wait()

    async def until(self, count: int) -> None:
        """Wait until so many have begun."""
        async with asyncio.timeout(30):
            while len(self.begun) < count:
                await asyncio.sleep(0)


@pytest.fixture
async def gates(client: Client, queue_name: str) -> AsyncIterator[Gates]:
    """A worker of two slots whose jobs wait."""
    gates = Gates(queue_name)
    async with Worker(gates.tasks, client=client, concurrency=2, name=NAME):
        yield gates
        gates.gate.set()


async def test_drain_and_resume(admin: Admin, gates: Gates, produced: QueueClient) -> None:
    """A worker told to drain finishes what it has, takes nothing more, and stays; told to resume, it goes on."""
    await produced.enqueue_many("wait", [1, 2])
    await gates.until(2)
    await admin.worker(NAME).drain()
    drained = await becomes(admin, lambda worker: worker.draining)
    assert drained.jobs_in_hand == 2
    gates.gate.set()
    later = await produced.enqueue("wait", 3)
    await becomes(admin, lambda worker: worker.jobs_in_hand == 0)
    assert await admin.queue(produced.name).unserved() == 1
    await admin.worker(NAME).resume()
    await later.wait(timeout=20)
    await becomes(admin, lambda worker: worker.state is WorkerState.RUNNING)


async def test_concurrency_changes_at_once(admin: Admin, gates: Gates, produced: QueueClient) -> None:
    """More jobs begin as soon as the order is there, although none has ended; the record says the new number."""
    await produced.enqueue_many("wait", list(range(6)))
    await gates.until(2)
    await admin.worker(NAME).set_concurrency(5)
    await gates.until(5)
    await becomes(admin, lambda worker: worker.concurrency == {produced.name: 5})
    await admin.worker(NAME).set_concurrency(1, queue=produced.name)
    await becomes(admin, lambda worker: worker.concurrency == {produced.name: 1})


async def test_what_cannot_be_ordered(admin: Admin, gates: Gates) -> None:
    """A number that none can be, or a queue that it does not serve, is refused, and nothing is changed."""
    await becomes(admin, lambda worker: True)
    for number in (0, -1, 100_001, True, "3"):
        with pytest.raises(InvalidOption):
            await admin.worker(NAME).set_concurrency(number)  # type: ignore[arg-type]
    with pytest.raises(InvalidOption, match="serves"):
        await admin.worker(NAME).set_concurrency(3, queue="another")


async def test_orders_that_are_none(admin: Admin, gates: Gates, produced: QueueClient) -> None:
    """What others write into the stream of orders is passed over, and the next order is heard."""
    record = await becomes(admin, lambda worker: True)
    keys = admin.server.keys(produced.name)
    for number in ("", "-1", "0", "9" * 30, "²", "1e9", "100001"):
        order = {"order": "concurrency", "worker": record.instance or "", "concurrency": number}
        await send_order(admin.server, keys, order)
    await send_order(admin.server, keys, {"order": "drain"})
    await send_order(admin.server, keys, {"order": "dance", "worker": record.instance or ""})
    await admin.worker(NAME).set_concurrency(3)
    assert (await becomes(admin, lambda worker: worker.concurrency == {produced.name: 3})).draining is False


async def test_an_order_is_for_one_start(admin: Admin, client: Client, queue_name: str) -> None:
    """An order to a worker that died says nothing to a later one of its name."""
    async with Worker(Gates(queue_name).tasks, client=client, name=NAME):
        first = await becomes(admin, lambda worker: True)
    async with Worker(Gates(queue_name).tasks, client=client, name=NAME):
        second = await becomes(admin, lambda worker: worker.instance != first.instance)
        keys = admin.server.keys(queue_name)
        await send_order(admin.server, keys, {"order": "drain", "worker": first.instance or ""})
        await admin.worker(NAME).set_concurrency(7)  # read after the other
        seen = await becomes(admin, lambda worker: worker.concurrency == {queue_name: 7})
        assert (seen.state, seen.instance) == (WorkerState.RUNNING, second.instance)
        with pytest.raises(WorkerGone, match="started anew"):
            await admin.worker(NAME, instance=first.instance).drain()


async def test_one_of_several(admin: Admin, client: Client, queue_name: str) -> None:
    """All workers of a name are told, unless an instance says which."""
    tasks = [Gates(queue_name).tasks for _ in range(2)]
    async with Worker(tasks[0], client=client, name=NAME), Worker(tasks[1], client=client, name=NAME):
        async with asyncio.timeout(30):
            while len(records := await admin.workers()) < 2 or not all(worker.ours for worker in records):
                await asyncio.sleep(0)
        await admin.worker(NAME, instance=records[0].instance).drain()
        drained = await becomes(admin, lambda worker: worker.draining)
        assert drained.instance == records[0].instance
        await admin.worker(NAME).drain()
        await becomes(admin, lambda worker: worker.draining and worker.instance == records[1].instance)


async def test_who_takes_no_orders(admin: Admin, home_url: str, queue_name: str) -> None:
    """Nobody of that name, a Node worker, a worker that is silent: the error says which."""
    with pytest.raises(WorkerGone, match="none of this name"):
        await admin.worker("nobody").drain()
    node = connection_name(admin.server.settings.prefix, queue_name, "node-1")
    async with redis.asyncio.Redis.from_url(home_url, client_name=node) as connection:
        await connection.ping()
        with pytest.raises(WorkerGone, match="not one of Corral's"):
            await admin.worker("node-1").resume()
        # Its connection is what the queue of the silent one is found by.
        keys = admin.server.keys(queue_name)
        await write_beat(admin.server, keys, "dead", replace(BEAT, name="dead").text(), clock=1_000)
        with pytest.raises(WorkerGone, match="silent"):
            await admin.worker("dead").set_concurrency(3)


async def test_an_order_takes_no_look_at_all_keys(admin: Admin, gates: Gates, prefix: str, raw: Raw) -> None:
    """A worker that is connected is found by its connections, whatever else is on the server."""
    await becomes(admin, lambda worker: True)
    await raw.hset(f"{prefix}:no{{name:meta", "paused", 1)
    before = await scans(raw)
    await admin.worker(NAME).set_concurrency(3)
    assert await scans(raw) == before
    with pytest.raises(WorkerGone):
        await admin.worker("nobody", known=["a", "b"]).drain()
    assert await scans(raw) == before
    with pytest.raises(WorkerGone):
        await admin.worker("nobody").drain()
    assert await scans(raw) > before


async def scans(raw: Raw) -> int:
    """How often anybody has looked at the keys of the server."""
    return int((await raw.info("commandstats")).get("cmdstat_scan", {"calls": 0})["calls"])
