"""The metrics of all queues: what is in them, at a price that does not grow with who looks or with what is in them."""

from __future__ import annotations

import asyncio

import pytest
import redis.asyncio

from corral import Admin, Client, Queue, ServerUnavailable, Worker
from corral.instrumentation.prometheus import metrics_app
from corral.instrumentation.queue_metrics import FRESH, QueueMetrics
from tests.instrumentation.scraped import Scraped


class Clock:
    """A clock that stands until it is put forward."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_what_waits(admin: Admin, client: Client, queue_name: str) -> None:
    """Jobs by state, the age of the oldest, the pause, and that nobody works there."""
    queue = client.queue(queue_name)
    await queue.enqueue("one", 1)
    await queue.enqueue("two", 2, delay=3600)
    await admin.queue(queue_name).pause()
    seen = Scraped(await QueueMetrics(admin).text())
    of = {"queue": queue_name}
    assert seen.value("corral_queue_jobs", **of, state="waiting") == 1
    assert seen.value("corral_queue_jobs", **of, state="delayed") == 1
    assert seen.value("corral_queue_jobs", **of, state="failed") == 0
    assert seen.value("corral_queue_paused", **of) == 1
    assert seen.value("corral_queue_workers", **of) == 0
    age = seen.value("corral_queue_oldest_waiting_seconds", **of)
    assert age is not None
    assert 0 <= age < 60


async def test_what_has_ended(admin: Admin, client: Client, queue_name: str) -> None:
    """Jobs that ended count for good, also when they are gone; workers are seen; nothing waits for 0 seconds."""
    tasks = Queue(queue_name, attempts=1, remove_on_complete=True)

    @tasks.task
    async def work(number: int) -> int:
        return 1 // number

    async with Worker(tasks, client=client):
        assert await (await work.enqueue(client, 1)).result(timeout=30) == 1
        await work.enqueue(client, 0)
        while True:
            seen = Scraped(await QueueMetrics(admin).text())
            if seen.value("corral_queue_failed_total", queue=queue_name) and seen.value(
                "corral_queue_workers"
            ):
                break
    assert seen.value("corral_queue_completed_total", queue=queue_name) == 1
    assert seen.value("corral_queue_failed_total", queue=queue_name) == 1
    assert seen.value("corral_queue_workers", queue=queue_name) == 1
    assert seen.value("corral_queue_oldest_waiting_seconds", queue=queue_name) == 0


async def test_many_who_look(admin: Admin, client: Client, queue_name: str) -> None:
    """Within a second everybody gets the same answer, and the server is asked once."""
    clock = Clock()
    metrics = QueueMetrics(admin, clock=clock)
    await client.queue(queue_name).enqueue("one", 1)
    before = await commands_of(admin)
    answers = await asyncio.gather(*(metrics.text() for _ in range(50)))
    once = await commands_of(admin) - before
    assert len(set(answers)) == 1
    await client.queue(queue_name).enqueue("two", 1)
    assert await metrics.text() == answers[0]
    clock.now += FRESH
    assert Scraped(await metrics.text()).value("corral_queue_jobs", state="waiting", queue=queue_name) == 2
    assert once < 20


async def test_many_who_look_in_vain() -> None:
    """While the server is away all who ask hear it at the same time, of one attempt."""
    attempts = 0

    class Away(Admin):
        async def queues(self, *, impossible: bool = False) -> list[str]:
            nonlocal attempts
            attempts += 1
            return await super().queues(impossible=impossible)

    async with Away("redis://127.0.0.1:1", timeout=0.2) as nobody:
        metrics = QueueMetrics(nobody)
        heard = await asyncio.gather(*(metrics.text() for _ in range(50)), return_exceptions=True)
    assert {type(one) for one in heard} == {ServerUnavailable}
    assert attempts == 1


async def commands_of(admin: Admin) -> int:
    """How many scripts the server has run."""
    text = (await admin.server.call("INFO", "commandstats")).decode()
    return sum(
        int(line.partition("calls=")[2].partition(",")[0])
        for line in text.splitlines()
        if line.startswith(("cmdstat_evalsha:", "cmdstat_eval:"))
    )


async def test_a_damaged_queue(
    admin: Admin, client: Client, redis_url: str, prefix: str, queue_name: str
) -> None:
    """A queue that cannot be read is counted, and hides no other."""
    await client.queue(queue_name).enqueue("one", 1)
    await client.queue("damaged").enqueue("one", 1)
    async with redis.asyncio.Redis.from_url(redis_url) as raw:
        await raw.set(f"{prefix}:damaged:active", "no list")
        await raw.hset(f"{prefix}:no\nname:meta", "paused", 1)
    seen = Scraped(await QueueMetrics(admin).text())
    assert seen.value("corral_queues_damaged") == 2
    assert seen.labels("corral_queue_jobs", "queue") == {queue_name}


async def test_hostile_names(admin: Admin, client: Client) -> None:
    """The name of a queue forges no line and no label."""
    name = 'q"} 1\\ne{'.replace("{", "(").replace("}", ")")
    await client.queue(name).enqueue("one", 1)
    seen = Scraped(await QueueMetrics(admin).text())
    assert seen.labels("corral_queue_jobs", "queue") == {name}


async def test_over_http(admin: Admin, client: Client, queue_name: str) -> None:
    """The application answers to GET and HEAD, says that it takes nothing else, and 503 when the server is away."""
    httpx = pytest.importorskip("httpx")
    await client.queue(queue_name).enqueue("one", 1)
    transport = httpx.ASGITransport(metrics_app(admin))
    async with httpx.AsyncClient(transport=transport, base_url="http://metrics") as http:
        answer = await http.get("/metrics")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert Scraped(answer.text).value("corral_queue_jobs", queue=queue_name, state="waiting") == 1
        assert (await http.head("/metrics")).content == b""
        assert (await http.post("/metrics")).status_code == 405
    async with Admin("redis://127.0.0.1:1", timeout=0.2) as nobody:
        transport = httpx.ASGITransport(metrics_app(nobody))
        async with httpx.AsyncClient(transport=transport, base_url="http://metrics") as http:
            assert (await http.get("/metrics")).status_code == 503
