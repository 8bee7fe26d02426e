"""The worker as a whole: what runs when, who is told, and how it ends."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import redis.asyncio
import structlog

from corral import (
    Client,
    Context,
    DuplicateTask,
    InvalidOption,
    InvalidTask,
    Job,
    JobFailed,
    JobState,
    Queue,
    Serve,
    ServerRefused,
    StaleRun,
    Worker,
)
from corral.client.queue import QueueClient
from corral.logs import setup
from tests.servers import ServerProcess


def gated(queue_name: str) -> tuple[Queue, asyncio.Event, list[Any]]:
    """A task that waits for a gate, and the payloads it was started with."""
    tasks, gate, started = Queue(queue_name), asyncio.Event(), []

    @tasks.task
    async def wait(number: int) -> int:
        started.append(number)
        await gate.wait()
        return number

    return tasks, gate, started


async def until(condition: Callable[[], Any], within: float = 10.0) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.005)  # a slow handler is at work


class TestLife:
    """From the first claim to the last settlement."""

    async def test_the_lifespan_is_around_everything(self, client: Client, queue: QueueClient) -> None:
        """`lifespan` is entered before the first claim and left after the last outcome is stored."""
        story: list[str] = []
        tasks = Queue(queue.name)

        @tasks.task
        async def note(_: int) -> None:
            story.append("job")

        @asynccontextmanager
        async def lifespan() -> AsyncIterator[None]:
            story.append("open")
            yield
            story.append(f"close, {(await queue.counts())[JobState.COMPLETED]} completed")

        job = await queue.enqueue("note", 1)
        async with Worker(tasks, client=client, lifespan=lifespan):
            await job.result(timeout=10)
        assert story == ["open", "job", "close, 1 completed"]

    async def test_a_lifespan_that_fails_ends_the_worker(self, client: Client, queue: QueueClient) -> None:
        """What `lifespan` raises on the way in is raised by `run`, and no job was started."""

        @asynccontextmanager
        async def lifespan() -> AsyncIterator[None]:
            raise OSError("no database")
            yield

        job = await queue.enqueue("note", 1)
        with pytest.raises(OSError, match="no database"):
            await Worker(Queue(queue.name), client=client, lifespan=lifespan).run()
        assert await job.state() is JobState.WAITING

    async def test_a_start_that_is_cancelled_leaves_nothing_running(self, client: Client) -> None:
        """Whoever gives up entering the block, after a timeout for instance, has no worker: what was open is closed."""
        entered, story = asyncio.Event(), list[str]()

        @asynccontextmanager
        async def lifespan() -> AsyncIterator[None]:
            try:
                entered.set()
                await asyncio.Event().wait()
                yield
            finally:
                story.append("closed")

        starting = asyncio.create_task(Worker(Queue("never"), client=client, lifespan=lifespan).__aenter__())
        await entered.wait()
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        assert story == ["closed"]

    async def test_it_never_takes_more_than_it_can_run(self, client: Client, queue: QueueClient) -> None:
        """No prefetch: with a concurrency of 3, three jobs are active and the others wait for whoever is free."""
        tasks, gate, started = gated(queue.name)
        await queue.enqueue_many("wait", list(range(10)))
        async with Worker(tasks, client=client, concurrency=3) as worker:
            await until(lambda: len(started) == 3)
            counts = await queue.counts()
            assert (counts[JobState.ACTIVE], counts[JobState.WAITING]) == (3, 7)
            assert worker.jobs_in_hand == 3
            gate.set()
            await until(lambda: len(started) == 10)
        assert sorted(started) == list(range(10))

    async def test_concurrency_can_change_while_it_runs(self, client: Client, queue: QueueClient) -> None:
        """`resize` makes room at once, or lets jobs beyond it end normally."""
        tasks, gate, started = gated(queue.name)
        await queue.enqueue_many("wait", list(range(10)))
        async with Worker(tasks, client=client, concurrency=1) as worker:
            await until(lambda: len(started) == 1)
            worker.resize(4)
            await until(lambda: len(started) == 4)
            worker.resize(2)
            gate.set()
            await until(lambda: len(started) == 10)
            for slots, queue_name in ((0, None), (100_001, None), (5, "another")):
                with pytest.raises(InvalidOption):
                    worker.resize(slots, queue_name)

    async def test_several_queues_each_with_settings_of_its_own(
        self, client: Client, queue_name: str
    ) -> None:
        """One worker serves queues side by side; a queue whose slots are taken holds up no other."""
        slow, slow_gate, slow_started = gated(f"{queue_name}-slow")
        fast, fast_gate, fast_started = gated(f"{queue_name}-fast")
        fast_gate.set()
        for name in (slow.queue, fast.queue):
            await client.queue(name).enqueue_many("wait", list(range(5)))
        async with Worker(Serve(slow, concurrency=2), Serve(fast, concurrency=1), client=client) as worker:
            await until(lambda: len(slow_started) == 2 and len(fast_started) == 5)
            assert worker.queues == [slow.queue, fast.queue]
            assert len(slow_started) == 2
            slow_gate.set()

    async def test_it_can_run_again(self, client: Client, queue: QueueClient) -> None:
        """A worker that was stopped may be run again."""
        tasks, gate, started = gated(queue.name)
        gate.set()
        worker = Worker(tasks, client=client)
        for number in range(2):
            async with worker:
                assert await (await queue.enqueue("wait", number)).result(timeout=10) == number
        assert started == [0, 1]

    @pytest.mark.parametrize(
        ("make", "error"),
        [
            (lambda: Worker(), InvalidTask),
            (lambda: Worker(object()), InvalidTask),  # type: ignore[arg-type]
            (lambda: Worker(Queue("a"), concurrency=0), InvalidOption),
            (lambda: Worker(Queue("a"), lock_duration=0), InvalidOption),
            (lambda: Worker(Queue("a"), stalled_interval=-1), InvalidOption),
            (lambda: Worker(Queue("a"), unknown="explode"), InvalidOption),  # type: ignore[arg-type]
            (lambda: Serve(Queue("a"), concurrency=0), InvalidOption),
        ],
    )
    def test_what_cannot_work_is_refused(self, make: Callable[[], Any], error: type[Exception]) -> None:
        """Settings and sources are checked when the worker is made."""
        with pytest.raises(error):
            make()

    def test_two_tasks_of_one_name(self) -> None:
        """Sources may share a queue, but no name in it."""
        one, _, _ = gated("q")
        other, _, _ = gated("q")
        with pytest.raises(DuplicateTask):
            Worker(one, other)


class TestCallbacks:
    """Who wants to hear of jobs is told."""

    async def test_of_completed_and_failed_jobs(self, client: Client, queue: QueueClient) -> None:
        """Completed with the result; failed for each attempt; exhausted for the last. Plain or async functions; what
        they raise reaches nobody."""
        tasks, told = Queue(queue.name, backoff=None), []

        @tasks.task
        async def work(number: int) -> int:
            if number < 0:
                raise ValueError("negative")
            return number

        async def completed(job: Job, result: Any) -> None:
            told.append(("completed", job.data, result))
            raise RuntimeError("in the callback")

        def failed(job: Job, error: BaseException) -> None:
            told.append(("failed", job.data, str(error)))

        def exhausted(job: Job, error: BaseException) -> None:
            told.append(("exhausted", job.attempts_made, type(error).__name__))

        worker = Worker(
            tasks, client=client, on_completed=completed, on_failed=failed, on_exhausted=exhausted
        )
        async with worker:
            assert await (await queue.enqueue("work", 5)).result(timeout=10) == 5
            with pytest.raises(JobFailed):
                await (await queue.enqueue("work", -1, attempts=2, backoff=None)).result(timeout=10)
        assert told == [
            ("completed", 5, 5),
            ("failed", -1, "negative"),
            ("failed", -1, "negative"),
            ("exhausted", 1, "ValueError"),
        ]

    async def test_of_stalled_jobs(
        self, client: Client, queue: QueueClient, raw: redis.asyncio.Redis, prefix: str
    ) -> None:
        """The worker that returns a stalled job says so, with queue and id; then the job runs."""
        tasks, gate, started = gated(queue.name)
        gate.set()
        job = await queue.enqueue("wait", 1)
        base = f"{prefix}:{queue.name}:"
        await raw.lmove(base + "wait", base + "active", "RIGHT", "LEFT")
        told: list[tuple[str, str]] = []

        def stalled(queue: str, job_id: str) -> None:
            told.append((queue, job_id))

        async with Worker(tasks, client=client, stalled_interval=0.2, on_stalled=stalled):
            assert await job.result(timeout=10) == 1
        assert told == [(queue.name, job.id)]
        assert started == [1]


class TestContext:
    """What a handler says of its run."""

    async def test_progress_and_log_are_stored(self, client: Client, queue: QueueClient) -> None:
        """Progress is kept and announced, log lines are kept in order."""
        tasks = Queue(queue.name)

        @tasks.task
        async def talk(_: int, ctx: Context) -> None:
            await ctx.log("one")
            await ctx.progress({"percent": 50})
            await ctx.log("two")

        async with queue.events() as events, Worker(tasks, client=client):
            job = await queue.enqueue("talk", 1)
            data = []
            async for event in events:
                if event.name == "progress":
                    data.append(event.data)
                if event.name == "completed":
                    break
            kept = await job.wait(timeout=10)
        assert data == [{"percent": 50}]
        assert kept.progress == {"percent": 50}
        assert await queue.logs(job.id) == ["one", "two"]

    async def test_a_superseded_run_may_write_no_more(
        self, client: Client, queue: QueueClient, raw: redis.asyncio.Redis, prefix: str
    ) -> None:
        """When another run of the job has started, progress and log of this one raise `StaleRun`, and its outcome is
        refused: nothing is written."""
        tasks, errors = Queue(queue.name), []

        @tasks.task
        async def talk(_: int, ctx: Context) -> str:
            base = f"{prefix}:{queue.name}:{ctx.job_id}"
            await raw.hincrby(base, "ats", 1)
            await raw.set(f"{base}:lock", "another worker")
            for write in (ctx.progress, ctx.log):
                try:
                    await write("late")
                except StaleRun as error:
                    errors.append(error.job_id)
            return "late"

        async with Worker(tasks, client=client):
            job = await queue.enqueue("talk", 1)
            await until(lambda: len(errors) == 2)
        assert errors == [job.id, job.id]
        kept = await queue.get(job.id)
        assert kept is not None
        assert (kept.state, kept.progress, kept.returnvalue) == (JobState.ACTIVE, None, None)
        assert await queue.logs(job.id) == []

    async def test_jobs_can_be_enqueued_from_jobs(self, client: Client, queue: QueueClient) -> None:
        """`ctx.client` enqueues on the worker's connection."""
        tasks, seen = Queue(queue.name), []

        @tasks.task
        async def second(number: int) -> None:
            seen.append(number)

        @tasks.task
        async def first(number: int, ctx: Context) -> str:
            return (await second.enqueue(ctx.client, number + 1)).id

        async with Worker(tasks, client=client):
            job_id = await (await first.enqueue(client, 1)).result(timeout=10)
            await queue.job(job_id).wait(timeout=10)
        assert seen == [2]


async def test_a_refusing_server_ends_the_worker(
    make_server: Callable[..., ServerProcess], prefix: str, queue_name: str
) -> None:
    """A wrong password is no outage: `run` raises `ServerRefused`, bare, with the remedy."""
    server = make_server(password="sesame")
    worker = Worker(Queue(queue_name), url=f"redis://:wr0ng@127.0.0.1:{server.port}", prefix=prefix)
    with pytest.raises(ServerRefused, match="REDIS_URL") as refused:
        await asyncio.wait_for(worker.run(), 10)
    assert "wr0ng" not in str(refused.value)


async def test_a_worker_that_dies_within_its_block_is_told_at_once(
    make_server: Callable[..., ServerProcess], prefix: str, queue_name: str, log: io.StringIO
) -> None:
    """An application may go on for weeks until its block ends and raises: the log has it before."""
    server = make_server()
    with pytest.raises(ServerRefused):
        async with (
            redis.asyncio.Redis(port=server.port) as operator,
            Worker(Queue(queue_name), url=server.url, prefix=prefix, name="w-1") as worker,
        ):
            await operator.config_set("requirepass", "sesame")
            await operator.client_kill_filter(_type="normal", skipme=True)
            await until(lambda: '"Worker has died"' in log.getvalue(), within=30)
            assert not worker.is_ready
    setup.flush()
    (line,) = [line for line in map(json.loads, log.getvalue().splitlines()) if "died" in line["event"]]
    assert (line["level"], line["worker"]) == ("error", "w-1")
    assert "ServerRefused" in line["exception"]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What is logged, as JSON; logging is put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    monkeypatch.setattr(setup, "_active", None)
    stream = io.StringIO()
    setup.configure(stream=stream, pretty=False)
    yield stream
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


async def test_the_lifecycle_is_logged(client: Client, queue: QueueClient, log: io.StringIO) -> None:
    """`Processing job`, `Job completed` and `Job failed`, each with exactly its fields and the scope of the job."""
    tasks = Queue(queue.name)

    @tasks.task(name="email.send")
    async def send(number: int) -> None:
        if number < 0:
            raise ValueError("no such address")

    async with Worker(tasks, client=client):
        good = await queue.enqueue("email.send", 1)
        await good.wait(timeout=10)
        bad = await queue.enqueue("email.send", -1, attempts=1)
        await bad.wait(timeout=10)
    setup.flush()
    jobs = [line for line in map(json.loads, log.getvalue().splitlines()) if "jobId" in line]
    for line in jobs:
        line.pop("timestamp")
    assert jobs == [
        logged("info", "Processing job", good.id, attempt=1),
        logged("info", "Job completed", good.id),
        logged("info", "Processing job", bad.id, attempt=1),
        logged("error", "Job failed", bad.id, attemptsMade=1, err="no such address"),
    ]


def logged(level: str, event: str, job_id: str, **fields: Any) -> dict[str, Any]:
    """A lifecycle line, without its time."""
    scope = f"[worker][email.send:{job_id}]"
    line = {"level": level, "logger": "worker", "event": event, "scope": scope}
    return {**line, "jobName": "email.send", "jobId": job_id, **fields}
