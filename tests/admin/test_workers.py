"""Who works on a queue, as CLIENT LIST has it."""

from __future__ import annotations

import asyncio

import pytest

from corral import Client, Queue, Worker
from corral.admin.queue import QueueAdmin
from corral.admin.workers import QueueWorker, workers_in

LINE = (
    "id=3 addr=10.0.0.1:5{n} laddr=10.0.0.9:6379 fd=8 name={name} age={age} idle=2 flags=b db=0 cmd=bzpopmin"
)


def line(name: str, age: str = "60", n: int = 0) -> str:
    """A line of CLIENT LIST."""
    return LINE.format(name=name, age=age, n=n)


def test_names() -> None:
    """Workers are told by the name of their connection; other queues, prefixes and readers of events are none."""
    lines = [
        line("bull:bWFpbA==:w:host-7"),
        line("bull:bWFpbA=="),
        line("bull:bWFpbA==:qe"),
        line("bull:bWFpbDI=:w:other"),
        line("b:bWFpbA==:w:other"),
        line(""),
        line("bull:bWFpbA==:w:a:b=c", "oops", 1),
        "no such thing",
        "",
    ]
    assert workers_in(lines, "bull", "mail") == [
        QueueWorker("", "10.0.0.1:50", 60.0, 2.0),
        QueueWorker("a:b=c", "10.0.0.1:51", 0.0, 2.0),
        QueueWorker("host-7", "10.0.0.1:50", 60.0, 2.0),
    ]


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("/run/redis.sock:0", "/run/redis.sock"),
        ("[/run/redis.sock:0]:0", "/run/redis.sock"),
        ("/run/redis.sock", "/run/redis.sock"),
        ("10.0.0.1:50", "10.0.0.1:50"),
        ("[::1]:50", "[::1]:50"),
    ],
)
def test_addresses(told: str, shown: str) -> None:
    """A unix socket is shown by its path, however the server writes it; anything else as it is."""
    [worker] = workers_in([f"id=3 addr={told} name=bull:bWFpbA=="], "bull", "mail")
    assert worker.address == shown


async def test_a_worker_is_listed(operated: QueueAdmin, client: Client) -> None:
    """A running worker is listed by its name, and one of another queue is not."""
    queue, other = Queue(operated.name), Queue(operated.name + "-2")

    @queue.task
    async def work(number: int) -> None: ...

    @other.task(name="work")
    async def work_elsewhere(number: int) -> None: ...

    assert await operated.workers() == []
    async with Worker(queue, client=client, name="host-7"), Worker(other, client=client, name="host-8"):
        await (await work.enqueue(client, 1)).wait(timeout=10)
        async with asyncio.timeout(10):
            while not (found := await operated.workers()):
                await asyncio.sleep(0)
    [worker] = found
    assert worker.name == "host-7"
    assert worker.address
    assert 0 <= worker.age < 60
