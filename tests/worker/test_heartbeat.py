"""What a running worker writes of itself, and what it does when it is told to drain."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import redis.asyncio

from corral import Admin, Client, JobState, Queue, Serve, Worker, WorkerRecord, WorkerState
from corral.client.queue import QueueClient
from tests.servers import ServerProcess
from tests.worker.test_worker import gated, until


async def recorded(admin: Admin, wanted: Callable[[WorkerRecord], bool]) -> WorkerRecord:
    """The record of the one worker, once it is as wanted."""
    async with asyncio.timeout(30):
        while True:
            for worker in await admin.workers():
                if wanted(worker):
                    return worker


async def calls(connection: redis.asyncio.Redis, command: str) -> int:
    """How often a command was called since the count began."""
    told = await connection.info("commandstats")
    return int(told.get(f"cmdstat_{command}", {"calls": 0})["calls"])


async def test_a_beat_is_one_write_a_queue(make_server: Callable[..., ServerProcess]) -> None:
    """Each beat of a worker costs one call for each of its queues, which writes one field of one hash."""
    server = make_server()
    async with (
        redis.asyncio.Redis.from_url(server.url) as raw,
        Client(server.url) as client,
        Worker(Queue("a"), Queue("b"), client=client, stalled_interval=3600) as worker,
    ):
        fields = ("bull::corral:a:workers", "bull::corral:b:workers")
        await until(lambda: worker.seconds_since_answer is not None)
        while not all([await raw.exists(field) for field in fields]):
            pass
        await raw.config_resetstat()
        worker.resize(7)  # an occasion for a beat
        while '"concurrency":7' not in str((await raw.hvals(fields[1]))[0]):
            pass
        assert await calls(raw, "hset") == await calls(raw, "zadd") == 2
        assert [await raw.hlen(field) for field in fields] == [1, 1]


async def test_at_most_a_hundred_jobs_are_named(admin: Admin, client: Client, queue: QueueClient) -> None:
    """All jobs in hand are counted, the hundred oldest are named."""
    tasks, gate, started = gated(queue.name)
    await queue.enqueue_many("wait", list(range(120)))
    async with Worker(tasks, client=client, concurrency=150) as worker:
        await until(lambda: len(started) == 120)
        worker.resize(151)
        record = await recorded(admin, lambda record: record.jobs_in_hand == 120)
        assert len({job.id for job in record.jobs}) == 100
        gate.set()


async def test_hostile_jobs(admin: Admin, client: Client, queue: QueueClient) -> None:
    """Whatever a job is called, it is shown: names are cut at 200 letters."""
    tasks, gate, begun = Queue(queue.name), asyncio.Event(), asyncio.Event()

    @tasks.task(name="<img src=x onerror=alert(1)>\u202e" + "x" * 300)
    async def wait(number: int) -> None:
        begun.set()
        await gate.wait()

    job = await wait.enqueue(client, 1, job_id="</script>\u2028😀")
    async with Worker(tasks, client=client) as worker:
        await begun.wait()
        worker.resize(11)
        record = await recorded(admin, lambda record: record.jobs_in_hand == 1)
        assert [one.id for one in record.jobs] == [job.id]
        assert record.jobs[0].name.startswith("<img")
        assert len(record.jobs[0].name) == 200
        gate.set()


async def test_drain_and_resume(admin: Admin, client: Client, queue: QueueClient) -> None:
    """A drained worker ends what it has and claims nothing more, though jobs wait; it stays, and its record says so.
    Resumed, it goes on at once."""
    tasks, gate, started = gated(queue.name)
    await queue.enqueue_many("wait", [1, 2])
    async with Worker(tasks, client=client, concurrency=2) as worker:
        await until(lambda: len(started) == 2)
        worker.drain()
        later = await queue.enqueue_many("wait", [3, 4])
        record = await recorded(admin, lambda record: record.draining)
        assert record.jobs_in_hand == 2
        gate.set()
        await until(lambda: worker.jobs_in_hand == 0)
        await until(lambda: worker.health().status == "draining")
        assert await later[0].state() is JobState.WAITING
        health = worker.health()
        assert (health.live, health.ready) == (True, False)
        worker.resume()
        await later[1].wait(timeout=10)
        assert sorted(started) == [1, 2, 3, 4]
        await recorded(admin, lambda record: record.state is WorkerState.RUNNING)


async def test_what_a_drained_worker_is_woken_for_goes_to_another(client: Client, queue: QueueClient) -> None:
    """A job added after the drain is run by another worker at once, also when the drained one took its wake-up."""
    tasks, gate, _ = gated(queue.name)
    gate.set()
    async with Worker(tasks, client=client, name="drained") as drained:
        await until(lambda: drained.seconds_since_answer is not None)
        drained.drain()
        async with Worker(tasks, client=client, name="other"):
            for number in range(20):
                job = await queue.enqueue("wait", number)
                await job.wait(timeout=10)
                kept = await queue.get(job.id)
                assert kept is not None
                assert kept.processed_by == "other"


async def test_a_worker_that_stops_is_not_resumed(admin: Admin, client: Client, queue: QueueClient) -> None:
    """Told to stop, a worker claims nothing more, whatever it is told then; its record says that it stops."""
    tasks, gate, started = gated(queue.name)
    await queue.enqueue("wait", 1)
    async with Worker(tasks, client=client, concurrency=2) as worker:
        await until(lambda: len(started) == 1)
        worker.drain()
        worker.stop()
        worker.resume()
        await recorded(admin, lambda record: record.state is WorkerState.STOPPING)
        assert worker.health().status == "stopping"
        later = await queue.enqueue("wait", 2)
        gate.set()
    assert await later.state() is JobState.WAITING
    assert await admin.workers() == []


async def test_health_without_a_shift(client: Client, queue_name: str) -> None:
    """Before it runs and after, a worker is starting: live, not ready. In between it is healthy."""
    worker = Worker(Queue(queue_name), client=client)
    assert (worker.health().status, worker.health().live) == ("starting", True)
    async with worker:
        await until(lambda: worker.seconds_since_answer is not None)
        assert worker.health().status == "healthy"
        worker.drain()
        worker.resume()
        assert worker.health().status == "healthy"
    assert worker.health().status == "starting"
    worker.drain()
    worker.resume()


async def test_a_damaged_record_ends_no_worker(
    client: Client, queue: QueueClient, raw: redis.asyncio.Redis
) -> None:
    """Where something else stands in the place of the records, jobs run all the same, and it is logged."""
    await raw.set(client.server.keys(queue.name).key("worker_records"), "no hash")
    tasks, gate, _ = gated(queue.name)
    gate.set()
    async with Worker(Serve(tasks), client=client):
        assert await (await queue.enqueue("wait", 1)).result(timeout=10) == 1
    await raw.delete(client.server.keys(queue.name).key("worker_records"))
