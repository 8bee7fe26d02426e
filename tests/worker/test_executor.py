"""What becomes of a job, whatever its handler does: nothing of it reaches the worker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from corral import (
    Client,
    Context,
    InThread,
    Job,
    JobFailed,
    JobState,
    Queue,
    RateLimited,
    RetryAt,
    Snooze,
    Unrecoverable,
    Worker,
)
from corral.client.queue import QueueClient


class Unprintable(Exception):
    """An exception that cannot even be shown."""

    def __str__(self) -> str:
        raise RuntimeError("no text for you")


def nested(depth: int) -> int:
    """Recurse until Python has enough."""
    return nested(depth + 1) + 1


class TestOutcomes:
    """Returning, raising, and the signals."""

    async def test_the_result_is_stored(self, client: Client, queue: QueueClient, queue_name: str) -> None:
        """What the handler returns is the job's result, encoded by its type."""
        tasks = Queue(queue_name)

        class Receipt(BaseModel):
            number: int
            paid: datetime

        @tasks.task
        async def pay(amount: int) -> Receipt:
            return Receipt(number=amount, paid=datetime(2026, 1, 2, tzinfo=UTC))

        async with Worker(tasks, client=client):
            receipt = await (await pay.enqueue(client, 7)).result(timeout=10)
            assert receipt == Receipt(number=7, paid=datetime(2026, 1, 2, tzinfo=UTC))
            untyped = await queue.jobs(JobState.COMPLETED)
            assert untyped[0].returnvalue == {"number": 7, "paid": "2026-01-02T00:00:00Z"}

    async def test_attempts_are_counted(self, client: Client, queue: QueueClient, queue_name: str) -> None:
        """An exception is retried after its backoff until the attempts are spent; the handler knows where it is."""
        tasks, seen = Queue(queue_name), []

        @tasks.task(attempts=3, backoff=0.03)
        async def flaky(_: int, ctx: Context) -> str:
            seen.append((ctx.attempt, ctx.attempts))
            if ctx.attempt < 3:
                raise ValueError(f"not yet {ctx.attempt}")
            return "done"

        async with queue.events() as events, Worker(tasks, client=client):
            job = await flaky.enqueue(client, 1)
            assert await job.result(timeout=10) == "done"
            names = []
            async for event in events:
                names.append(event.name)
                if event.name == "delayed":
                    assert 20 <= (event.due_ms or 0) - event.timestamp_ms <= 35
                if event.name == "completed":
                    break
        assert seen == [(1, 3), (2, 3), (3, 3)]
        assert names == [
            "added", "waiting", "active",
            "delayed", "waiting", "active",
            "delayed", "waiting", "active",
            "completed",
        ]  # fmt: skip
        kept = await queue.get(job.id)
        assert kept is not None
        assert (kept.attempts_made, kept.attempts_started, len(kept.stacktrace)) == (3, 3, 2)
        assert kept.failed_reason == "not yet 2"

    async def test_a_retry_without_backoff_is_at_once(
        self, client: Client, queue: QueueClient, queue_name: str
    ) -> None:
        """`backoff=None` puts the job back into line."""
        tasks = Queue(queue_name, attempts=3, backoff=None)

        @tasks.task
        async def flaky(_: int) -> None:
            raise ValueError("always")

        async with Worker(tasks, client=client):
            job = await flaky.enqueue(client, 1)
            with pytest.raises(JobFailed, match="always") as failure:
                await job.result(timeout=5)
        assert failure.value.attempts_made == 3

    async def test_a_backoff_of_ones_own(self, client: Client, queue_name: str) -> None:
        """A function decides the wait, from the attempts made and the error."""
        asked: list[tuple[int, str]] = []

        def wait(made: int, error: BaseException) -> float:
            asked.append((made, type(error).__name__))
            return 0.01 * made

        tasks = Queue(queue_name, attempts=3, backoff=wait)

        @tasks.task
        async def flaky(_: int) -> None:
            raise KeyError("x")

        async with Worker(tasks, client=client):
            with pytest.raises(JobFailed):
                await (await flaky.enqueue(client, 1)).result(timeout=5)
        assert asked == [(1, "KeyError"), (2, "KeyError")]

    async def test_unrecoverable_is_final(self, client: Client, queue: QueueClient, queue_name: str) -> None:
        """`Unrecoverable` fails the job at once, attempts left or not."""
        tasks = Queue(queue_name, attempts=5)

        @tasks.task
        async def hopeless(_: int) -> None:
            raise Unrecoverable("no such account")

        async with Worker(tasks, client=client):
            with pytest.raises(JobFailed, match="no such account") as failure:
                await (await hopeless.enqueue(client, 1)).result(timeout=5)
        assert failure.value.attempts_made == 1

    @pytest.mark.parametrize(
        "signal",
        [
            lambda: Snooze(0.02),
            lambda: Snooze(timedelta(milliseconds=20)),
            lambda: RetryAt(datetime.now(UTC) + timedelta(milliseconds=20)),
            lambda: RateLimited(0.02),
        ],
        ids=["snooze", "snooze-timedelta", "retry-at", "rate-limited"],
    )
    async def test_putting_off_spends_no_attempt(
        self, signal: Callable[[], Exception], client: Client, queue: QueueClient, queue_name: str
    ) -> None:
        """`Snooze`, `RetryAt` and `RateLimited` run the job again later, with as many attempts left as before."""
        tasks, seen = Queue(queue_name, attempts=1), []

        @tasks.task
        async def patient(_: int, ctx: Context) -> int:
            seen.append(ctx.attempt)
            if len(seen) < 4:
                raise signal()
            return len(seen)

        async with Worker(tasks, client=client):
            job = await patient.enqueue(client, 1)
            assert await job.result(timeout=5) == 4
        assert seen == [1, 1, 1, 1]
        kept = await queue.get(job.id)
        assert kept is not None
        assert (kept.attempts_made, kept.attempts_started) == (1, 4)


class TestWhatHandlersRaise:
    """Anything may be raised; the job fails with a reason, and the worker goes on."""

    @pytest.mark.parametrize("where", ["async", "thread"])
    @pytest.mark.parametrize(
        ("raised", "reason"),
        [
            (KeyboardInterrupt("stop"), "stop"),
            (SystemExit(3), "3"),
            (GeneratorExit("gone"), "gone|GeneratorExit"),
            (asyncio.CancelledError("mine"), "mine|CancelledError"),
            (MemoryError(), "MemoryError"),
            (StopIteration("over"), "StopIteration"),
            (StopAsyncIteration("over"), "over|StopAsyncIteration"),
            (TimeoutError("the handler's own"), "the handler's own"),
            (Unprintable(), "Unprintable"),
            (ExceptionGroup("two", [ValueError("a"), KeyError("b")]), "two"),
            (BaseExceptionGroup("two", [KeyboardInterrupt()]), "two"),
            (ValueError("lone \ud800 surrogate"), "lone"),
            (ValueError("x" * 1_000_000), "characters left out"),
            (ValueError("nul \x00 and\nnewline"), "nul"),
        ],
        ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
    )
    async def test_it_is_a_failed_attempt(
        self,
        where: str,
        raised: BaseException,
        reason: str,
        client: Client,
        queue: QueueClient,
        queue_name: str,
    ) -> None:
        """Two attempts, then failed, with the reason; other jobs run."""
        tasks = Queue(queue_name, attempts=2, backoff=None)

        if where == "async":

            @tasks.task(name="bad")
            async def bad(_: int) -> None:
                raise raised
        else:

            @tasks.task(name="bad", run=InThread)
            def bad_thread(_: int) -> None:
                raise raised

        @tasks.task
        async def fine(number: int) -> int:
            return number

        async with Worker(tasks, client=client):
            job = await queue.enqueue("bad", 1, attempts=2, backoff=None)
            with pytest.raises(JobFailed, match=f"(?s){reason}") as failure:
                await job.result(timeout=10)
            assert failure.value.attempts_made == 2
            assert len(failure.value.reason) <= 5000
            assert await (await fine.enqueue(client, 5)).result(timeout=10) == 5

    async def test_what_closes_the_coroutine(self, client: Client, queue_name: str) -> None:
        """An awaited future that raises GeneratorExit closes the handler's coroutine and all around it: the job fails
        all the same, and gives its slot back."""
        tasks = Queue(queue_name, attempts=1)

        @tasks.task
        async def closed(_: int) -> None:
            future = asyncio.get_running_loop().create_future()
            future.set_exception(GeneratorExit("from outside"))
            await future

        worker = Worker(tasks, client=client)
        async with worker:
            with pytest.raises(JobFailed, match=r"from outside|GeneratorExit"):
                await (await closed.enqueue(client, 1)).result(timeout=5)
            assert worker.jobs_in_hand == 0

    async def test_endless_recursion(self, client: Client, queue: QueueClient, queue_name: str) -> None:
        """A `RecursionError` is an error like others."""
        tasks = Queue(queue_name, attempts=1)

        @tasks.task
        async def deep(_: int) -> int:
            return nested(0)

        async with Worker(tasks, client=client):
            with pytest.raises(JobFailed, match="recursion"):
                await (await deep.enqueue(client, 1)).result(timeout=10)

    async def test_a_result_that_is_no_json(
        self, client: Client, queue: QueueClient, queue_name: str
    ) -> None:
        """A result that is not what the task declares fails the job for good: another run would repeat its effects."""
        tasks = Queue(queue_name, attempts=3, backoff=None)
        runs: list[Any] = []

        @tasks.task
        async def odd(which: str) -> Any:
            runs.append(which)
            return {"object": object(), "nan": float("nan"), "surrogate": "\ud800", "bytes": b"\xff"}[which]

        async with Worker(tasks, client=client):
            for which in ("object", "nan", "surrogate", "bytes"):
                with pytest.raises(JobFailed, match="result") as failure:
                    await (await odd.enqueue(client, which)).result(timeout=10)
                assert failure.value.attempts_made == 1
        assert runs == ["object", "nan", "surrogate", "bytes"]


class TestUnknownTasks:
    """Jobs whose task is not here."""

    async def test_it_fails_and_follows_its_policy(
        self, client: Client, queue: QueueClient, queue_name: str
    ) -> None:
        """The default: a failed attempt that names the task, retried like others."""
        tasks = Queue(queue_name)
        async with Worker(tasks, client=client):
            job = await queue.enqueue("nobody-knows", 1, attempts=2, backoff=None)
            with pytest.raises(JobFailed, match="nobody-knows") as failure:
                await job.result(timeout=10)
            assert failure.value.attempts_made == 2

    async def test_it_is_parked_for_another_worker(
        self, client: Client, queue: QueueClient, queue_name: str
    ) -> None:
        """`unknown="park"` puts it back delayed, no attempt spent."""
        async with queue.events() as events, Worker(Queue(queue_name), client=client, unknown="park"):
            job = await queue.enqueue("elsewhere", 1, attempts=1)
            async for event in events:
                if event.name == "delayed":
                    break
            kept = await queue.get(job.id)
        assert kept is not None
        assert (kept.state, kept.attempts_made, kept.failed_reason) == (JobState.DELAYED, 0, None)

    async def test_a_catch_all_serves_every_name(
        self, client: Client, queue: QueueClient, queue_name: str
    ) -> None:
        """A catch-all handler gets the whole job, whatever its name; declared tasks keep theirs."""
        tasks = Queue(queue_name)

        @tasks.task
        async def known(number: int) -> str:
            return f"known {number}"

        @tasks.catch_all
        async def rest(job: Job) -> Any:
            return [job.name, job.data, job.id]

        async with Worker(tasks, client=client):
            assert await (await queue.enqueue("known", 1)).result(timeout=10) == "known 1"
            job = await queue.enqueue("whatever/name", {"a": 1})
            assert await job.result(timeout=10) == ["whatever/name", {"a": 1}, job.id]
