"""Who works on queues: records of Corral's workers, connections of all, merged."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import redis.asyncio
import structlog

from corral import Admin, Client, Queue, QueueDamaged, Serve, ServerRefused, Worker, WorkerRecord, WorkerState
from corral.admin import workers
from corral.admin.connections import Connection
from corral.admin.queue import QueueAdmin
from corral.admin.workers import Said, find_workers, merge
from corral.contracts.names import connection_name
from corral.engine.report_worker import FORGET_MS, write_beat
from tests.contracts.test_worker_record import BEAT
from tests.interop.snapshot import Raw
from tests.servers import ServerProcess

NOW_MS = 1_800_000_000_000
NOW = datetime.fromtimestamp(NOW_MS / 1000, UTC)


def said(instance: str = "i", queue: str = "mail", ago: float = 1.0, **changes: object) -> Said:
    """A beat of so many seconds ago."""
    return Said(instance, queue, NOW - timedelta(seconds=ago), NOW, replace(BEAT, **changes))  # type: ignore[arg-type]


def seen(name: str = "host-7", queue: str = "mail", address: str = "10.0.0.1:50") -> Connection:
    """A connection."""
    return Connection(queue, name, address, age=60.0, idle=2.0)


class TestMerging:
    """Beats and connections become records."""

    def test_a_worker_is_what_it_says(self) -> None:
        """Times are counted back from the beat, by the server's clock; the address is its connection's."""
        [worker] = merge([said()], [seen()], NOW_MS)
        assert (worker.name, worker.host, worker.pid, worker.version) == ("host-7", "host", 7, "0.1")
        assert (worker.state, worker.ours, worker.draining) == (WorkerState.RUNNING, True, False)
        assert worker.address == "10.0.0.1:50"
        assert worker.beat == NOW - timedelta(seconds=1)
        assert worker.started == NOW - timedelta(seconds=61)
        assert worker.last_fetch == NOW - timedelta(seconds=1.25)
        assert [(job.id, job.since) for job in worker.jobs] == [("j1", NOW - timedelta(seconds=2.5))]

    def test_a_worker_of_several_queues_is_one(self) -> None:
        """What it says of each queue is put together: concurrency, jobs, and the fetch that is the oldest."""
        parts = [
            said(queue="mail", concurrency=5, running=1, fetched=1.0, jobs=(("a", "n", 1.0),)),
            said(queue="post", concurrency=2, running=1, fetched=9.0, jobs=(("b", "n", 5.0),)),
        ]
        [worker] = merge(parts, [seen(), seen(queue="post")], NOW_MS)
        assert worker.concurrency == {"mail": 5, "post": 2}
        assert (worker.jobs_in_hand, [(job.queue, job.id) for job in worker.jobs]) == (
            2,
            [("post", "b"), ("mail", "a")],
        )
        assert worker.last_fetch == NOW - timedelta(seconds=10)

    def test_one_queue_without_an_answer_yet(self) -> None:
        """A worker whose claim on one of its queues was never answered has not fetched."""
        [worker] = merge([said(fetched=None), said(queue="post")], [], NOW_MS)
        assert worker.last_fetch is None

    def test_silence(self) -> None:
        """Without a beat for 30 seconds a worker is silent, whatever it said last; before that it is not."""
        workers = merge([said("a", ago=30), said("b", ago=30.1, state=WorkerState.DRAINING)], [], NOW_MS)
        assert {worker.instance: worker.state for worker in workers} == {
            "a": WorkerState.RUNNING,
            "b": WorkerState.SILENT,
        }

    def test_two_of_one_name(self) -> None:
        """Workers that share a name stay apart, as one that died and the one that has its place."""
        assert len(merge([said("a", ago=60), said("b")], [seen()], NOW_MS)) == 2

    def test_workers_without_a_record(self) -> None:
        """A Node worker is known by its connection: name, address, age and when it last asked. Those without a name
        are told apart by their address."""
        connections = [seen("node-1"), seen("", address="10.0.0.2:1"), seen("", address="10.0.0.3:1")]
        workers = merge([said()], connections, NOW_MS)
        assert [(worker.name, worker.address) for worker in workers] == [
            ("", "10.0.0.2:1"), ("", "10.0.0.3:1"), ("host-7", ""), ("node-1", "10.0.0.1:50"),
        ]  # fmt: skip
        node = workers[-1]
        assert not node.ours
        assert (node.state, node.queues, node.version) == (WorkerState.RUNNING, ("mail",), None)
        assert (node.started, node.last_fetch) == (NOW - timedelta(seconds=60), NOW - timedelta(seconds=2))


@pytest.fixture
async def served(client: Client, queue_name: str) -> AsyncIterator[asyncio.Event]:
    """A worker `host-7` of two queues with a job in hand, which ends when the event is set."""
    queue, other, gate, begun = Queue(queue_name), Queue(f"{queue_name}-2"), asyncio.Event(), asyncio.Event()

    @queue.task
    async def wait(number: int) -> None:
        begun.set()
        await gate.wait()

    job = await wait.enqueue(client, 1)
    async with Worker(Serve(queue, concurrency=3), Serve(other, concurrency=4), client=client, name="host-7"):
        await begun.wait()
        yield gate
        gate.set()
        await job.wait(timeout=10)


async def found(look: Callable[[], object], worker_is: Callable[[WorkerRecord], bool]) -> WorkerRecord:
    """The one worker, once it is as it should be."""
    async with asyncio.timeout(30):
        while True:
            workers = await look()  # type: ignore[misc]
            if workers and worker_is(workers[0]):
                [worker] = workers
                return worker  # type: ignore[no-any-return]
            await asyncio.sleep(0)


async def test_a_running_worker(admin: Admin, operated: QueueAdmin, served: asyncio.Event) -> None:
    """A worker is shown with what it serves and runs: over all queues, and as one queue has it."""
    worker = await found(admin.workers, lambda worker: worker.jobs_in_hand == 1 and bool(worker.last_fetch))
    other = f"{operated.name}-2"
    assert (worker.name, set(worker.queues)) == ("host-7", {operated.name, other})
    assert worker.concurrency == {operated.name: 3, other: 4}
    assert [(job.queue, job.name) for job in worker.jobs] == [(operated.name, "wait")]
    assert worker.troubles == ()
    assert worker.memory
    assert worker.address
    assert worker.loop_lag_ms is not None
    [of_one] = await operated.workers()
    assert (of_one.name, of_one.concurrency) == ("host-7", {operated.name: 3})
    assert await admin.workers(other) != []
    assert await admin.workers("no-such-queue") == []


async def test_who_leaves_is_not_listed(admin: Admin, client: Client, queue_name: str) -> None:
    """A worker that stops takes its record away."""
    async with Worker(Queue(queue_name), client=client):
        await found(lambda: admin.workers(queue_name), lambda worker: worker.ours)
    async with asyncio.timeout(10):
        while await admin.workers(queue_name):
            await asyncio.sleep(0)  # the server has not noticed yet that its connection is closed


async def test_the_dead_fall_silent_and_are_forgotten(admin: Admin, queue_name: str) -> None:
    """A record without beats is running for 30 seconds, silent from then on, and gone with the next beat of another
    worker after ten minutes."""
    server = admin.server
    keys = server.keys(queue_name)
    await write_beat(server, keys, "dead", BEAT.text(), clock=NOW_MS)

    async def states(after_ms: int) -> list[WorkerState]:
        return [worker.state for worker in await find_workers(server, queue_name, clock=NOW_MS + after_ms)]

    assert await states(30_000) == [WorkerState.RUNNING]
    assert await states(30_001) == [WorkerState.SILENT]
    await write_beat(server, keys, "alive", BEAT.text(), clock=NOW_MS + FORGET_MS)
    assert await states(FORGET_MS) == [WorkerState.RUNNING]


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "a:w:b", '"%0a{}', "${x}'--"])
async def test_hostile_names(admin: Admin, home_url: str, queue_name: str, name: str) -> None:
    """A worker's name is text, in a record and on a connection of another program."""
    await write_beat(admin.server, admin.server.keys(queue_name), "i", replace(BEAT, name=name).text())
    other = f"{name}2"
    node = connection_name(admin.server.settings.prefix, queue_name, other)
    async with redis.asyncio.Redis.from_url(home_url, client_name=node) as connection:
        await connection.ping()
        assert [worker.name for worker in await admin.workers(queue_name)] == [name, other]


@pytest.mark.parametrize("record", [b"", b"\x00", b'{"name": 1}', b"[" * 10_000])
async def test_records_that_are_none(
    admin: Admin, raw: redis.asyncio.Redis, queue_name: str, record: bytes
) -> None:
    """What others have written in the place of a record, or its time, is passed over; workers are listed all the
    same."""
    keys = admin.server.keys(queue_name)
    await write_beat(admin.server, keys, "good", BEAT.text())
    await write_beat(admin.server, keys, "bad", record)
    await raw.zadd(keys.key("worker_beats"), {"no-record": 1, "endless": float("inf"), "huge": 1e300})
    await raw.hset(keys.key("worker_records"), "endless", BEAT.text())
    await raw.hset(keys.key("worker_records"), "huge", BEAT.text())
    assert [worker.instance for worker in await admin.workers(queue_name)] == ["good"]


async def test_without_client_list(make_server: Callable[..., ServerProcess]) -> None:
    """A user who may not call CLIENT LIST sees the workers that have records, and is told when there are none."""
    server = make_server()
    async with redis.asyncio.Redis.from_url(server.url) as root:
        await root.acl_setuser(
            "limited", enabled=True, passwords=["+pw"], keys=["*"], commands=["+@all", "-client|list"]
        )
    async with Admin(server.url.replace("redis://", "redis://limited:pw@")) as admin:
        with pytest.raises(ServerRefused):
            await admin.workers("mail")
        await write_beat(admin.server, admin.server.keys("mail"), "i", BEAT.text())
        assert [worker.name for worker in await admin.workers("mail")] == ["host-7"]


async def test_nobody_serves(
    admin: Admin, operated: QueueAdmin, client: Client, home_url: str, queue_name: str
) -> None:
    """Ready jobs are unserved where no worker is, or none that claims; a Node worker serves too."""
    queue = client.queue(queue_name)
    assert await operated.unserved() == 0
    await queue.enqueue("x", 1)
    await queue.enqueue("x", 2, priority=1)
    assert await operated.unserved() == 2
    keys = admin.server.keys(queue_name)
    await write_beat(admin.server, keys, "i", replace(BEAT, state=WorkerState.DRAINING).text())
    assert await operated.unserved() == 2
    node = connection_name(admin.server.settings.prefix, queue_name, "node-1")
    async with redis.asyncio.Redis.from_url(home_url, client_name=node) as connection:
        await connection.ping()
        assert await operated.unserved() == 0


async def test_what_cannot_be_read_hides_nobody(
    admin: Admin, client: Client, raw: Raw, prefix: str, queue_name: str
) -> None:
    """A queue's name that none can have, and records that are none, are left out, with the reason; the others are
    there. Whoever asks for the damaged queue alone is told."""
    await raw.hset(f"{prefix}:no{{name:meta", "paused", 1)
    await raw.set(f"{prefix}::corral:damaged:beats", "text")
    await raw.hset(f"{prefix}:damaged:meta", "paused", 1)
    await write_beat(admin.server, admin.server.keys(queue_name), "i", BEAT.text())
    await client.queue(queue_name).enqueue("one")
    skipped = dict[str, str]()
    found = await admin.workers(on_skipped=skipped.__setitem__)
    assert [worker.name for worker in found] == [BEAT.name]
    assert sorted(skipped) == ["damaged", "no{name"]
    assert "WRONGTYPE" in skipped["damaged"]
    with structlog.testing.capture_logs() as logs:
        await admin.workers(known=[queue_name, "damaged", "no{name"])
    assert sorted(line["queue"] for line in logs) == ["damaged", "no{name"]
    with pytest.raises(QueueDamaged) as caught:
        await admin.workers("damaged")
    assert caught.value.key == f"{prefix}::corral:damaged:beats"


async def test_looking_for_queues_ends(
    admin: Admin, client: Client, queue_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there are too many keys, those of the queues found by then are told, and that there may be more."""
    monkeypatch.setattr(workers, "LOOKING", 0.0)
    skipped = list[str]()
    assert await admin.workers(on_skipped=lambda _, reason: skipped.append(reason)) == []
    assert len(skipped) == 1
    assert "too many keys" in skipped[0]
