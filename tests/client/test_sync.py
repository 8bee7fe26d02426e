"""The blocking client: the same verbs, for threads of any number, over forks and after `close`."""

from __future__ import annotations

import asyncio
import gc
import inspect
import os
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from functools import partial

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
from corral.client.queue import QueueClient
from corral.client.sync import SyncQueueClient
from tests.faults.proxy import Proxy
from tests.servers import free_port

Make = Callable[..., SyncClient]


@pytest.fixture
def make_blocking(prefix: str) -> Iterator[Make]:
    """Make blocking clients: `make_blocking(url, timeout=1)`. Closed at the end."""
    made: list[SyncClient] = []

    def make(url: str, timeout: float | None = None) -> SyncClient:
        made.append(SyncClient(url, prefix=prefix, timeout=timeout))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def blocking(make_blocking: Make, redis_url: str) -> SyncClient:
    """A blocking client of the run's server."""
    return make_blocking(redis_url)


def in_child(act: Callable[[], object]) -> int:
    """Run something in a forked process; its exit code is 0 when nothing was raised."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            act()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def data_of(client: SyncClient, queue: str) -> list[object]:
    """The payloads that wait."""
    return [job.data for job in client.queue(queue).jobs(JobState.WAITING, limit=1000)]


class TestVerbs:
    """Each is the one of `Client`, blocking."""

    async def test_jobs_are_enqueued_awaited_and_looked_at(
        self, blocking: SyncClient, tasks: Queue, worker: Worker, queue_name: str
    ) -> None:
        """Typed results, plain results, failures and snapshots come back as from `Client`."""

        def script() -> None:
            queue = blocking.queue(queue_name)
            assert queue.enqueue("double", 21).result(timeout=30) == 42
            failing = queue.enqueue("fail", "no luck", attempts=1)
            assert failing.wait(timeout=30).failed_reason == "no luck"
            with pytest.raises(JobFailed, match="no luck"):
                failing.result(timeout=30)
            assert failing.state() is JobState.FAILED
            told = queue.enqueue("tell", ["one", "two"])
            told.result(timeout=30)
            assert queue.logs(told.id) == ["one", "two"]
            assert queue.job(told.id).created is None
            assert queue.metrics(JobState.COMPLETED).total == 2

        async with worker:
            await asyncio.to_thread(script)

    def test_jobs_are_managed_without_a_worker(self, blocking: SyncClient, queue_name: str) -> None:
        """Batches keep their order, ids are told apart, jobs can be counted, read and removed."""
        queue = blocking.queue(queue_name)
        jobs = queue.enqueue_many("job", [1, 2, 3])
        again = queue.enqueue("job", 4, job_id="a:1"), queue.enqueue("job", 5, job_id="a:1")
        assert [job.created for job in again] == [True, False]
        assert data_of(blocking, queue_name) == [1, 2, 3, 4]
        assert jobs[0].remove()
        assert not jobs[0].remove()
        assert queue.get(jobs[0].id) is None
        assert queue.counts()[JobState.WAITING] == 3
        assert not queue.paused()
        assert blocking.queues() == [queue_name]
        with pytest.raises(JobGone):
            jobs[0].result(timeout=30)
        with pytest.raises(TimeoutError):
            jobs[1].result(timeout=0.05)

    def test_the_untyped_door_has_the_same_verbs(self) -> None:
        """What a queue of `Client` can do, one of `SyncClient` can, with the same parameters; but for following
        events, which needs a loop."""

        def verbs(door: type) -> dict[str, list[str]]:
            functions = {name: one for name, one in vars(door).items() if inspect.isfunction(one)}
            return {
                name: [
                    str(parameter.replace(annotation=""))
                    for parameter in inspect.signature(one).parameters.values()
                ]
                for name, one in functions.items()
                if not name.startswith("_")
            }

        blocking, awaited = verbs(SyncQueueClient), verbs(QueueClient)
        assert blocking == {name: verb for name, verb in awaited.items() if name != "events"}

    def test_a_flow_is_made_by_names(self, blocking: SyncClient, queue_name: str) -> None:
        """`queue.node` makes the jobs of a flow, as a task's does."""
        queue = blocking.queue(queue_name)
        child = queue.node("ship", {"to": "Ada"}, priority=2)
        flow = queue.node("close", children=[child]).enqueue(blocking)
        assert flow.state() is JobState.WAITING_CHILDREN
        assert flow.job(child).state() is JobState.PRIORITIZED
        assert queue.child_counts(flow.id).pending == 1

    def test_bad_input_is_the_same_error(self, blocking: SyncClient, queue_name: str) -> None:
        """What `Client` refuses is refused here, with the same types."""
        with pytest.raises(InvalidPayload):
            blocking.queue(queue_name).enqueue("job", float("nan"))
        with pytest.raises(InvalidQueueName):
            blocking.queue("a:b")

    def test_a_server_that_is_not_there_is_an_error(self, make_blocking: Make, queue_name: str) -> None:
        """`ServerUnavailable` after the stated time, in the thread that called."""
        nowhere = make_blocking(f"redis://127.0.0.1:{free_port()}", timeout=0.3)
        with pytest.raises(ServerUnavailable):
            nowhere.queue(queue_name).enqueue("job")


class TestLifetime:
    """Nothing exists before the first call, or after `close`; a client may be used again."""

    def test_making_one_starts_and_connects_nothing(
        self, make_blocking: Make, proxy: Proxy, queue_name: str
    ) -> None:
        """No thread and no connection until the first call."""
        before = threading.active_count()
        client = make_blocking(proxy.url)
        client.queue(queue_name)
        assert (threading.active_count(), proxy.connections) == (before, 0)
        client.close()

    def test_close_ends_the_thread_and_may_be_repeated(self, blocking: SyncClient, queue_name: str) -> None:
        """`close` twice is `close` once; nothing of it is left."""
        blocking.queue(queue_name).enqueue("job", 1)
        blocking.close()
        blocking.close()
        assert "corral-client" not in [thread.name for thread in threading.enumerate()]

    def test_it_works_again_after_close(self, blocking: SyncClient, queue_name: str) -> None:
        """So do handles from before: they are bound to no connection."""
        jobs = []
        for number in range(3):
            jobs.append(blocking.queue(queue_name).enqueue("job", number))
            blocking.close()
        assert [job.state() for job in jobs] == [JobState.WAITING] * 3
        with pytest.raises(TimeoutError):
            jobs[0].result(timeout=0.05)
        assert data_of(blocking, queue_name) == [0, 1, 2]

    def test_close_leaves_no_thread_waiting(self, blocking: SyncClient, queue_name: str) -> None:
        """A thread that waits for a job without a timeout is cancelled when another closes the client."""
        job = blocking.queue(queue_name).enqueue("job")
        with ThreadPoolExecutor(1) as threads:
            waits = threads.submit(job.result)
            assert blocking.queue(queue_name).counts()[JobState.WAITING] == 1
            blocking.close()
            assert isinstance(waits.exception(timeout=30), CancelledError)

    def test_close_lets_an_enqueue_end(self, make_blocking: Make, proxy: Proxy, queue_name: str) -> None:
        """A call under way when another thread closes is answered, not cut off."""
        client = make_blocking(proxy.url)
        client.queue(queue_name).enqueue("job", 0)
        proxy.latency = 0.2
        sent = proxy.requests
        with ThreadPoolExecutor(1) as threads:
            call = threads.submit(client.queue(queue_name).enqueue, "job", 1)
            deadline = threading.Event()
            while proxy.requests == sent and not deadline.wait(0.01):
                assert not call.done()
            client.close()
            assert call.result(timeout=30).created is True


class TestThreads:
    """One client for all threads of a program."""

    def test_the_first_calls_of_many_threads_share_one_client(
        self, make_blocking: Make, proxy: Proxy, queue_name: str
    ) -> None:
        """Threads that come at the same time, before there is a connection, do not each make a client."""
        client = make_blocking(proxy.url)
        together = threading.Barrier(16)

        def enqueue(number: int) -> bool | None:
            together.wait(30)
            return client.queue(queue_name).enqueue("job", number).created

        with ThreadPoolExecutor(16) as threads:
            assert all(threads.map(enqueue, range(16)))
        assert proxy.connections <= 2
        assert sorted(job for job in data_of(client, queue_name) if isinstance(job, int)) == list(range(16))
        assert [thread.name for thread in threading.enumerate()].count("corral-client") == 1


class TestFork:
    """Safe to make, and to use, before a fork."""

    def test_each_process_connects_for_itself(self, blocking: SyncClient, queue_name: str) -> None:
        """Used in the parent, then in forked children and in the parent again, it loses nothing."""
        queue = blocking.queue(queue_name)
        queue.enqueue("job", "before")
        codes = [in_child(partial(queue.enqueue, "job", number)) for number in range(3)]
        queue.enqueue("job", "after")
        assert codes == [0, 0, 0]
        assert data_of(blocking, queue_name) == ["before", 0, 1, 2, "after"]

    def test_a_handle_is_good_in_a_child(self, blocking: SyncClient, queue_name: str) -> None:
        """A handle from before the fork asks over the child's own connection."""
        job = blocking.queue(queue_name).enqueue("job")
        assert in_child(lambda: check(job.state() is JobState.WAITING)) == 0
        assert job.state() is JobState.WAITING

    def test_the_parents_connections_stay_as_they_are(
        self, make_blocking: Make, proxy: Proxy, queue_name: str
    ) -> None:
        """What a child drops or closes does not take the sockets out of the parent's loop: its next call is
        answered over the connection that it had."""
        client = make_blocking(proxy.url)
        queue = client.queue(queue_name)
        queue.enqueue("job", 1)

        def act() -> None:
            queue.enqueue("job", 2)
            client.close()
            gc.collect()

        assert in_child(act) == 0
        connections = proxy.connections
        queue.enqueue("job", 3)
        assert proxy.connections == connections

    def test_a_fork_while_another_thread_calls(self, blocking: SyncClient, queue_name: str) -> None:
        """A child does not inherit a lock that nobody in it will release."""
        stop = threading.Event()
        queue = blocking.queue(queue_name)

        def call() -> None:
            while not stop.is_set():
                queue.counts()

        with ThreadPoolExecutor(4) as threads:
            calls = [threads.submit(call) for _ in range(4)]
            codes = [in_child(lambda: queue.enqueue("job")) for _ in range(5)]
            stop.set()
            for each in calls:
                each.result(timeout=30)
        assert codes == [0] * 5


def check(holds: bool) -> None:
    """Fail a child."""
    assert holds


def test_a_program_that_forgets_to_close_ends(redis_url: str, prefix: str, queue_name: str) -> None:
    """A script may end without `close`: nothing hangs, and nothing is said."""
    program = (
        "import sys; from corral import SyncClient; c = SyncClient(sys.argv[1], prefix=sys.argv[2]);"
        "print(c.queue(sys.argv[3]).enqueue('job', 1).created)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, redis_url, prefix, queue_name],
        capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("True\n", "")


async def test_a_coroutine_calls_without_a_thread(blocking: SyncClient, queue_name: str) -> None:
    """`from_loop` makes a call of the asynchronous client in the client's own loop; its errors are the caller's."""
    await asyncio.gather(
        *(blocking.from_loop(lambda client: client.queue(queue_name).enqueue("a")) for _ in range(20))
    )
    assert (await blocking.from_loop(lambda client: client.queue(queue_name).counts()))[
        JobState.WAITING
    ] == 20
    with pytest.raises(InvalidQueueName):
        await blocking.from_loop(lambda client: client.queue("a:b").counts())


async def test_close_cancels_what_does_not_end_by_itself(blocking: SyncClient, queue_name: str) -> None:
    """A coroutine that waits for a job is cancelled, as blocking threads are."""
    job_id = await blocking.from_loop(_added(queue_name), short=True)
    waiting = asyncio.create_task(
        blocking.from_loop(lambda client: client.queue(queue_name).job(job_id).result())
    )
    await asyncio.sleep(0)  # it has begun
    await asyncio.to_thread(blocking.close)
    with pytest.raises(asyncio.CancelledError):
        await waiting


def _added(queue_name: str) -> Callable[[Client], Awaitable[str]]:
    async def add(client: Client) -> str:
        return (await client.queue(queue_name).enqueue("a")).id

    return add
