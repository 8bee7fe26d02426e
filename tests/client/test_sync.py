"""The blocking client: from any thread, and in forked processes."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from corral import (
    Client,
    InvalidPayload,
    InvalidQueueName,
    JobFailed,
    JobGone,
    JobState,
    Queue,
    ServerUnavailable,
    SyncClient,
    Worker,
)
from tests.faults.proxy import Proxy
from tests.servers import ServerProcess


@pytest.fixture
def blocking(redis_url: str, prefix: str) -> Iterator[SyncClient]:
    """A blocking client of the run's server."""
    with SyncClient(redis_url, prefix=prefix) as client:
        yield client


@pytest.fixture
def background_worker(tasks: Queue, redis_url: str, prefix: str) -> Iterator[Worker]:
    """A worker in a thread with a loop of its own."""
    worker = Worker(tasks, url=redis_url, prefix=prefix)
    loop: list[asyncio.AbstractEventLoop] = []
    ready = threading.Event()

    async def serve() -> None:
        loop.append(asyncio.get_running_loop())
        async with worker:
            ready.set()
            await worker._signs.stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(20)
    yield worker
    loop[0].call_soon_threadsafe(worker.stop)
    thread.join(20)


def test_the_same_verbs(
    blocking: SyncClient, background_worker: Worker, tasks: Queue, queue_name: str
) -> None:
    """Enqueue, wait, result, state, counts, pages, logs and removal, each blocking."""
    queue = blocking.queue(queue_name)
    job = queue.enqueue("double", 21, job_id="a:b:c")
    assert job.created is True
    assert job.result(timeout=10) == 42
    assert job.wait(timeout=10).returnvalue == 42
    assert job.state() is JobState.COMPLETED
    assert queue.counts()[JobState.COMPLETED] == 1
    assert [each.id for each in queue.jobs("completed")] == ["a:b:c"]
    found = queue.get("a:b:c")
    assert found is not None
    assert found.data == 21
    assert queue.job("a:b:c").result() == 42
    talk = queue.enqueue("tell", ["x"])
    talk.wait(timeout=10)
    assert queue.logs(talk.id) == ["x"]
    assert job.remove() is True
    assert job.remove() is False
    assert blocking.queues() == [queue_name]


def test_typed_tasks_take_it(
    blocking: SyncClient, background_worker: Worker, tasks: Queue, queue_name: str
) -> None:
    """A task's `enqueue` works with a blocking client as with an async one."""
    double: Any = Queue(queue_name).task(name="double")(_double)
    assert double.enqueue(blocking, 4).result(timeout=10) == 8
    assert [job.result(timeout=10) for job in double.enqueue_many(blocking, [1, 2])] == [2, 4]


async def _double(number: int) -> int:
    return 2 * number


def test_errors_are_the_same(blocking: SyncClient, background_worker: Worker, queue_name: str) -> None:
    """What is raised is raised in the caller's thread."""
    queue = blocking.queue(queue_name)
    with pytest.raises(JobFailed, match="because"):
        queue.enqueue("fail", "because", attempts=1).result(timeout=10)
    with pytest.raises(JobGone):
        queue.job("nobody").result(timeout=5)
    with pytest.raises(TimeoutError):
        queue.enqueue("double", 1, delay=60).result(timeout=0.05)
    with pytest.raises(InvalidPayload):
        queue.enqueue("double", float("nan"))
    with pytest.raises(InvalidQueueName):
        blocking.queue("a:b")


def test_threads_share_it(
    blocking: SyncClient, proxy: Proxy, redis_url: str, prefix: str, queue_name: str
) -> None:
    """Thirty-two threads use one client from its very first call on; all jobs are added, over few connections."""
    with SyncClient(proxy.url, prefix=prefix) as shared:
        queue = shared.queue(queue_name)
        start = threading.Barrier(32)

        def produce(thread: int) -> list[str]:
            start.wait()
            return [queue.enqueue("job", [thread, n]).id for n in range(20)]

        with ThreadPoolExecutor(32) as pool:
            ids = [job_id for made in pool.map(produce, range(32)) for job_id in made]
    assert len(set(ids)) == 640
    assert blocking.queue(queue_name).counts()[JobState.WAITING] == 640
    assert proxy.connections <= 4


def test_it_is_used_again_after_close(blocking: SyncClient, queue_name: str) -> None:
    """`close` ends the thread and the connections; a later call begins anew, and handles stay good."""
    job = blocking.queue(queue_name).enqueue("job", 1)
    before = threading.active_count()
    blocking.close()
    assert threading.active_count() == before - 1
    assert job.state() is JobState.WAITING
    blocking.close()
    blocking.close()
    assert blocking.queue(queue_name).enqueue("job", 2).created is True
    assert blocking.queue(queue_name).counts()[JobState.WAITING] == 2


def test_close_wakes_whoever_waits(blocking: SyncClient, queue_name: str) -> None:
    """A thread that waits for a result is not left hanging by `close`."""
    job = blocking.queue(queue_name).enqueue("nobody")
    outcome: list[BaseException] = []
    began = threading.Event()

    def wait() -> None:
        began.set()
        try:
            job.result()
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    began.wait()
    while blocking._loop._loop is None or len(asyncio.all_tasks(blocking._loop._loop)) == 0:
        threading.Event().wait(0.01)
    blocking.close()
    thread.join(10)
    assert not thread.is_alive()
    assert len(outcome) == 1


def test_after_a_fork_each_process_has_its_own(blocking: SyncClient, queue_name: str) -> None:
    """A client that was used before the fork works in the children and in the parent, with handles from before, and no
    answer crosses over."""
    queue = blocking.queue(queue_name)
    job = queue.enqueue("job", "parent", job_id="from-before")
    children = []
    for number in range(4):
        if (child := os.fork()) == 0:
            code = 1
            try:
                ids = [queue.enqueue("job", number, job_id=f"child-{number}-{n}").id for n in range(25)]
                same = ids == [f"child-{number}-{n}" for n in range(25)]
                code = 0 if same and job.state() is JobState.WAITING else 2
            finally:
                os._exit(code)
        children.append(child)
    mine = [queue.enqueue("job", "parent", job_id=f"parent-{n}").id for n in range(50)]
    assert mine == [f"parent-{n}" for n in range(50)]
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 4
    assert queue.counts()[JobState.WAITING] == 1 + 50 + 100


def test_no_server(make_server: Callable[..., ServerProcess], prefix: str, queue_name: str) -> None:
    """`ServerUnavailable` after the stated time, and back to work when the server is."""
    server = make_server()
    with SyncClient(server.url, prefix=prefix, timeout=0.4) as client:
        client.queue(queue_name).enqueue("job")
        server.stop()
        with pytest.raises(ServerUnavailable):
            client.queue(queue_name).enqueue("job")
        server.start()
        assert client.queue(queue_name).enqueue("job").created is True


def test_a_program_that_forgets_to_close_ends(redis_url: str, prefix: str, queue_name: str) -> None:
    """A script may end without `close`: nothing hangs, and nothing is said."""
    program = (
        "import sys; from corral import SyncClient; c = SyncClient(sys.argv[1], prefix=sys.argv[2]);"
        "print(c.queue(sys.argv[3]).enqueue('job', 1).created)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, redis_url, prefix, queue_name],
        capture_output=True, text=True, timeout=20, cwd=Path(__file__).parents[2], check=True,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_both_clients_meet(blocking: SyncClient, redis_url: str, prefix: str, queue_name: str) -> None:
    """An async client sees what a blocking one adds."""
    blocking.queue(queue_name).enqueue("job", 1)

    async def count() -> int:
        async with Client(redis_url, prefix=prefix) as client:
            return (await client.queue(queue_name).counts())[JobState.WAITING]

    assert asyncio.run(count()) == 1
