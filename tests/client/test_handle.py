"""A handle: waits for its job's end and misses none, whenever the wait began."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
import redis.asyncio

from corral import (
    Client,
    Every,
    JobFailed,
    JobGone,
    JobLocked,
    JobScheduled,
    JobState,
    Keep,
    Queue,
    ServerUnavailable,
    Worker,
)
from corral.client.queue import QueueClient
from corral.contracts.flow import FlowNode
from corral.engine.script import load
from tests.faults.proxy import Proxy
from tests.servers import ServerProcess


class TestResult:
    """What the handler returned, or why there is nothing."""

    async def test_it_is_what_the_handler_returned(self, queue: QueueClient, worker: Worker) -> None:
        """`result` waits for the end, and gives the result at once when the job has ended."""
        async with worker:
            job = await queue.enqueue("double", 21)
            assert await job.result(timeout=10) == 42
            assert await job.result(timeout=10) == 42
        assert await queue.job(job.id).result(timeout=10) == 42

    async def test_a_failure_is_raised(self, queue: QueueClient, worker: Worker) -> None:
        """A job that failed for good raises `JobFailed` with reason and attempts, for early and late callers alike."""
        async with worker:
            job = await queue.enqueue("fail", "no such thing", attempts=2, backoff=0.01)
            for _ in range(2):
                with pytest.raises(JobFailed, match="no such thing") as failure:
                    await job.result(timeout=10)
                assert (failure.value.job_id, failure.value.attempts_made) == (job.id, 2)

    async def test_it_gives_up_after_the_timeout(self, queue: QueueClient) -> None:
        """`TimeoutError` when the job has not ended in time; seconds or a `timedelta`."""
        job = await queue.enqueue("nobody")
        for timeout in (0.05, timedelta(milliseconds=50)):
            with pytest.raises(TimeoutError):
                await job.result(timeout=timeout)
        assert await job.state() is JobState.WAITING

    async def test_a_job_that_never_was(self, queue: QueueClient) -> None:
        """An id that nobody has is `JobGone`, at once."""
        with pytest.raises(JobGone):
            await queue.job("nobody-has-this").result(timeout=10)

    async def test_a_job_removed_while_waiting(self, queue: QueueClient) -> None:
        """Whoever waits for a job that is removed is told."""
        job = await queue.enqueue("nobody")
        waiting = asyncio.ensure_future(job.result(timeout=10))
        while not waiting_for(job_ids := [job.id], queue):
            await asyncio.sleep(0)
        assert job_ids
        assert await job.remove()
        with pytest.raises(JobGone):
            await waiting

    async def test_many_wait_at_once(self, queue: QueueClient, worker: Worker) -> None:
        """Hundreds of waiters each get the result of their own job."""
        async with worker:
            jobs = await queue.enqueue_many("double", list(range(300)))
            results = await asyncio.gather(*(job.result(timeout=20) for job in jobs))
        assert results == [2 * n for n in range(300)]


def waiting_for(ids: list[str], queue: QueueClient) -> bool:
    """Whether the client's reader has the jobs on its list."""
    hub = queue._client._ties(queue.name).hub  # type: ignore[attr-defined]
    return all(job_id in hub._waiting for job_id in ids) and hub._positioned.is_set()


class TestRemovedOnComplete:
    """A job that is removed as it ends has a result all the same, for those who waited."""

    async def test_it_has_a_result(self, queue: QueueClient, worker: Worker) -> None:
        """The wait began before the end: result and failure are delivered though nothing is kept."""
        options: dict[str, Keep | bool] = {"remove_on_complete": True, "remove_on_fail": True}
        good = await queue.enqueue("double", 4, **options)  # type: ignore[arg-type]
        bad = await queue.enqueue("fail", "gone too", attempts=1, **options)  # type: ignore[arg-type]
        waits = [asyncio.ensure_future(job.result(timeout=10)) for job in (good, bad)]
        while not waiting_for([good.id, bad.id], queue):
            await asyncio.sleep(0)
        async with worker:
            assert await waits[0] == 8
            with pytest.raises(JobFailed, match="gone too"):
                await waits[1]
            assert await good.state() is JobState.UNKNOWN

    async def test_however_close_the_end_is(self, queue: QueueClient, worker: Worker) -> None:
        """When the wait begins as the handler is at work, the result is delivered, each time."""
        async with worker:
            for number in range(200):
                job = await queue.enqueue("double", number, remove_on_complete=True, delay=0.003)
                assert await job.result(timeout=10) == 2 * number

    async def test_waiting_for_the_job_itself(self, queue: QueueClient, worker: Worker) -> None:
        """`wait` cannot give a job that is not kept: `JobGone`."""
        job = await queue.enqueue("double", 1, remove_on_complete=True, delay=0.2)
        async with worker:
            with pytest.raises(JobGone):
                await job.wait(timeout=10)


class TestWait:
    """The job itself, when it has ended."""

    async def test_it_is_the_job(self, queue: QueueClient, worker: Worker) -> None:
        """`wait` gives the finished job, completed or failed."""
        async with worker:
            good = await (await queue.enqueue("double", 1)).wait(timeout=10)
            bad = await (await queue.enqueue("fail", "why", attempts=1)).wait(timeout=10)
        assert (good.state, good.returnvalue, good.attempts_made) == (JobState.COMPLETED, 2, 1)
        assert (bad.state, bad.failed_reason, bad.attempts_made) == (JobState.FAILED, "why", 1)
        assert good.finished_on is not None
        assert good.processed_on is not None
        assert good.finished_on >= good.processed_on


class TestRemove:
    """Taking a job away."""

    async def test_all_of_it_goes(
        self, queue: QueueClient, worker: Worker, raw: redis.asyncio.Redis, prefix: str
    ) -> None:
        """`remove` takes the job, its log lines and its place; a second time there is nothing."""
        job = await queue.enqueue("tell", ["one", "two"])
        async with worker:
            await job.wait(timeout=10)
        assert await queue.logs(job.id) == ["one", "two"]
        assert await job.remove() is True
        assert await job.remove() is False
        assert [key async for key in raw.scan_iter(f"{prefix}*{job.id}*")] == []
        assert await queue.get(job.id) is None

    async def test_a_running_job_stays(
        self, queue: QueueClient, raw: redis.asyncio.Redis, prefix: str
    ) -> None:
        """A job that a worker holds is not removed, and the error says so; nor is the next run of a schedule."""
        job = await queue.enqueue("double", 1)
        await raw.lmove(f"{prefix}:{queue.name}:wait", f"{prefix}:{queue.name}:active", "RIGHT", "LEFT")
        await raw.set(f"{prefix}:{queue.name}:{job.id}:lock", "somebody")
        with pytest.raises(JobLocked):
            await job.remove()
        assert await job.state() is JobState.ACTIVE
        scheduled = await queue.enqueue("double", 1, repeat=Every(hours=1, offset=0))
        with pytest.raises(JobScheduled):
            await scheduled.remove()
        assert await scheduled.state() is JobState.DELAYED


class TestOutage:
    """The server goes while somebody waits."""

    async def test_the_wait_outlives_a_restart(
        self,
        make_server: Callable[..., ServerProcess],
        make_client: Callable[..., Client],
        queue_name: str,
        tasks: object,
    ) -> None:
        """A wait that spans a restart of the server gets its result."""
        server = make_server(appendonly="always")
        client = make_client(server.url)
        queue = client.queue(queue_name)
        job = await queue.enqueue("double", 5)
        waiting = asyncio.ensure_future(job.result(timeout=20))
        while not waiting_for([job.id], queue):
            await asyncio.sleep(0)
        server.kill9()
        await asyncio.to_thread(server.start)
        async with Worker(tasks, client=client):  # type: ignore[arg-type]
            assert await waiting == 10

    async def test_no_server_is_an_error_in_time(
        self, make_server: Callable[..., ServerProcess], make_client: Callable[..., Client], queue_name: str
    ) -> None:
        """A wait that begins while there is no server fails after the stated time, and not never."""
        server = make_server()
        client = make_client(server.url, timeout=0.5)
        job = await client.queue(queue_name).enqueue("nobody")
        server.freeze()
        began = time.monotonic()
        with pytest.raises(ServerUnavailable):
            await asyncio.wait_for(job.result(), 8)
        assert time.monotonic() - began < 2

    async def test_a_reset_connection_misses_no_end(
        self, make_client: Callable[..., Client], proxy: Proxy, queue_name: str, tasks: object, client: Client
    ) -> None:
        """Ends that happen while the reader's connection is down are read afterwards."""
        queue = make_client(proxy.url).queue(queue_name)
        jobs = await queue.enqueue_many("double", list(range(50)), remove_on_complete=True)
        waits = [asyncio.ensure_future(job.result(timeout=15)) for job in jobs]
        while not waiting_for([job.id for job in jobs], queue):
            await asyncio.sleep(0)
        proxy.reset()
        async with Worker(tasks, client=client):  # type: ignore[arg-type]
            proxy.reset()
            assert await asyncio.gather(*waits) == [2 * n for n in range(50)]


@pytest.mark.parametrize("verb", ["remove", "detach"])
async def test_a_lost_reply(
    verb: str, make_client: Callable[..., Client], proxy: Proxy, queue: QueueClient, tasks: Queue
) -> None:
    """What a handle asks for is sent again until it is answered, and the answer is that of the first time."""
    double = tasks.bindings()["double"].spec
    client = make_client(proxy.url, timeout=5)
    nodes = [FlowNode(double.request(number, {})) for number in range(2)]
    flow = await FlowNode(double.request(2, {}), nodes).enqueue(client)
    first, second = (flow.job(node) for node in nodes)
    assert await getattr(first, verb)() is True
    lost = proxy.lose_reply(load(f"control/{verb}_{'job' if verb == 'remove' else 'child'}").sha.encode())
    assert await getattr(second, verb)() is True
    assert lost.seen.is_set()
    assert await getattr(second, verb)() is False
    assert await flow.state() is JobState.WAITING
