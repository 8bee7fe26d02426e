"""Cancelling and superseding, as a program that enqueues sees them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from pydantic import BaseModel

from corral import (
    Client,
    Context,
    Deduplication,
    FailureKind,
    InvalidOption,
    JobCancelled,
    JobGone,
    JobNotInState,
    JobState,
    Queue,
    SyncClient,
    Worker,
)
from corral.client.queue import QueueClient


class Report(BaseModel):
    """What is asked for."""

    account: str
    number: int = 0


class Reports:
    """A queue with a superseding task; what its handler has done, and those that were told to leave."""

    def __init__(self, name: str) -> None:
        self.tasks = Queue(name)
        self.done, self.left = list[int](), list[int]()
        self.begun = asyncio.Event()

        @self.tasks.task(name="build", supersedes="account")
        async def build(report: Report, ctx: Context) -> int:
            self.begun.set()
            try:
                await asyncio.sleep(60 if report.number < 0 else 0.01)  # a slow handler
            except asyncio.CancelledError:
                self.left.append(report.number)
                raise
            self.done.append(report.number)
            return report.number

        self.build = build


@pytest.fixture
def reports(queue_name: str) -> Reports:
    """The queue of this test."""
    return Reports(queue_name)


@pytest.fixture
async def clients(redis_url: str, prefix: str) -> AsyncIterator[list[Client]]:
    """Several programs that enqueue."""
    made = [Client(redis_url, prefix=prefix) for _ in range(4)]
    yield made
    for client in made:
        await client.close()


@pytest.mark.parametrize("kept", [True, False])
async def test_whoever_waits_for_a_cancelled_job_hears_of_it(queue: QueueClient, kept: bool) -> None:
    """With the reason, whether the job is kept or not."""
    job = await queue.enqueue("n", 1, remove_on_fail=not kept)
    waiting = asyncio.create_task(job.result(timeout=10))
    await asyncio.sleep(0)
    assert await job.cancel("obsolete")
    with pytest.raises(JobCancelled) as raised:
        await waiting
    assert (raised.value.job_id, raised.value.reason, raised.value.superseded_by) == (
        job.id,
        "obsolete",
        None,
    )


async def test_what_cannot_be_cancelled(queue: QueueClient) -> None:
    """A job that is not there, one that has ended, and a reason that cannot be stored."""
    with pytest.raises(JobGone):
        await queue.job("none").cancel()
    job = await queue.enqueue("n", 1)
    with pytest.raises(InvalidOption, match="reason"):
        await job.cancel("x" * 2000)
    await job.cancel()
    with pytest.raises(JobNotInState, match="is failed and cannot be cancelled"):
        await job.cancel()


async def test_a_blocking_client_cancels_as_well(
    queue: QueueClient, redis_url: str, prefix: str, queue_name: str
) -> None:
    """The same verb, blocking."""
    job = await queue.enqueue("n", 1)
    with SyncClient(redis_url, prefix=prefix) as client:
        handle = client.queue(queue_name).job(job.id)
        assert await asyncio.to_thread(handle.cancel, "obsolete")
        with pytest.raises(JobCancelled, match="obsolete"):
            await asyncio.to_thread(handle.result)


async def test_the_newest_of_many_wins(clients: list[Client], queue: QueueClient, reports: Reports) -> None:
    """Of 100 calls at the same time, by several programs and before a worker starts: one job is left, and all others
    say which took their place."""
    jobs = await asyncio.gather(
        *(
            reports.build.enqueue(clients[number % len(clients)], Report(account="a", number=number))
            for number in range(100)
        )
    )
    newest = await queue.newest("build", "a")
    assert newest is not None
    async with Worker(reports.tasks, client=clients[0]):
        number = await newest.result(timeout=20)
    assert reports.done == [number]
    ends = [await queue.get(job.id) for job in jobs]
    kinds = [job.failure_kind for job in ends if job is not None]
    assert sorted(kinds, key=str).count(FailureKind.SUPERSEDED) == 99
    assert len({job.id for job in jobs}) == 100
    assert await queue.newest("build", "a") is None


async def test_the_newest_wins_over_those_that_run(
    clients: list[Client], queue: QueueClient, reports: Reports
) -> None:
    """With workers that take each at once: the newest completes, and no other that had not ended before it came."""
    async with Worker(reports.tasks, client=clients[0]), Worker(reports.tasks, client=clients[1]):
        for number in range(-30, 0):
            await reports.build.enqueue(clients[number % len(clients)], Report(account="a", number=number))
        last = await reports.build.enqueue(clients[0], Report(account="a", number=1))
        assert await last.result(timeout=20) == 1
        while (await queue.counts())[JobState.ACTIVE]:
            await asyncio.sleep(0)
    assert reports.done == [1]
    assert (await queue.counts())[JobState.FAILED] == 30


async def test_one_that_runs_is_superseded(
    clients: list[Client], queue: QueueClient, reports: Reports
) -> None:
    """It leaves, fails without a retry, and names the newer one to whoever waits for it."""
    async with Worker(reports.tasks, client=clients[0]):
        old = await reports.build.enqueue(clients[0], Report(account="a", number=-1))
        await asyncio.wait_for(reports.begun.wait(), 10)
        new = await reports.build.enqueue(clients[1], Report(account="a", number=2))
        with pytest.raises(JobCancelled) as raised:
            await old.result(timeout=10)
        assert raised.value.superseded_by == new.id
        assert await new.result(timeout=10) == 2
    assert (reports.left, reports.done) == ([-1], [2])
    found = await queue.get(old.id)
    assert found is not None
    assert (found.failure_kind, found.attempts_made) == (FailureKind.SUPERSEDED, 1)


async def test_other_keys_and_tasks_are_left_alone(
    client: Client, queue: QueueClient, reports: Reports
) -> None:
    """A key begins with the task's name."""

    @reports.tasks.task(name="send", supersedes=lambda report: report.account)
    async def send(report: Report) -> None: ...

    jobs = [
        await reports.build.enqueue(client, Report(account="a")),
        await reports.build.enqueue(client, Report(account="b")),
        await send.enqueue(client, Report(account="a")),
    ]
    assert {await job.state() for job in jobs} == {JobState.WAITING}
    handle = await queue.newest("send", "a")
    assert handle is not None
    assert handle.id == jobs[2].id


async def test_many_at_once(client: Client, queue: QueueClient, reports: Reports) -> None:
    """`enqueue_many` supersedes in the order of its payloads."""
    payloads = [Report(account="ab"[number % 2], number=number) for number in range(6)]
    jobs = await reports.build.enqueue_many(client, payloads)
    states = [await job.state() for job in jobs]
    assert states == [JobState.FAILED] * 4 + [JobState.WAITING] * 2


async def test_a_blocking_client_supersedes_as_well(redis_url: str, prefix: str, reports: Reports) -> None:
    """The same task, and the newest by its key."""

    def run() -> tuple[str, str, JobState]:
        with SyncClient(redis_url, prefix=prefix) as client:
            old = reports.build.enqueue(client, Report(account="a"))
            new = reports.build.enqueue(client, Report(account="a"))
            newest = client.queue(reports.tasks.queue).newest("build", "a")
            assert newest is not None
            return new.id, newest.id, old.state()

    made, found, state = await asyncio.to_thread(run)
    assert (made, state) == (found, JobState.FAILED)


async def test_by_hand(queue: QueueClient) -> None:
    """A queue without task sets has it as a mode of deduplication."""
    old = await queue.enqueue("n", 1, deduplication=Deduplication.superseding("k"))
    new = await queue.enqueue("n", 2, deduplication=Deduplication.superseding("k"))
    assert [await job.state() for job in (old, new)] == [JobState.FAILED, JobState.WAITING]
