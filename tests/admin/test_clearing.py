"""Taking jobs out of a queue, many at once: whole operations, whatever happens beside them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from corral import Client, JobGone, Queue, QueueActive, Worker
from corral.admin import clearing
from corral.admin.admin import Admin
from corral.admin.queue import QueueAdmin
from corral.client.queue import QueueClient
from corral.contracts.states import JobState
from corral.engine import control_clearing
from corral.errors import InvalidOption
from tests.interop.snapshot import Raw


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps so small that some dozens of jobs take many."""
    monkeypatch.setattr(clearing, "JOBS_PER_STEP", 3)


async def counted(queue: QueueAdmin) -> dict[JobState, int]:
    """The counts that are not zero."""
    return {state: count for state, count in (await queue.counts()).items() if count}


async def filled(queue: QueueClient) -> None:
    """Jobs in all states that a producer can put them in."""
    await queue.enqueue_many("x", [{}] * 10)
    await queue.enqueue_many("x", [{}] * 7, priority=2)
    await queue.enqueue_many("x", [{}] * 5, delay=60)


class Heard(list[tuple[int, int]]):
    """What an operation told of its progress."""

    def __call__(self, done: int, total: int) -> None:
        """Note it."""
        self.append((done, total))


async def test_drain(operated: QueueAdmin, produced: QueueClient) -> None:
    """What is ready goes; what is delayed stays unless that is asked for; progress is told step by step."""
    await filled(produced)
    heard = Heard()
    assert await operated.drain(on_progress=heard) == 17
    assert await counted(operated) == {JobState.DELAYED: 5}
    assert heard[-1] == (17, 17)
    assert len(heard) > 4
    assert await operated.drain(delayed=True) == 5
    assert await counted(operated) == {}
    assert await operated.drain(delayed=True) == 0


async def test_drain_takes_what_was_there(
    operated: QueueAdmin, produced: QueueClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jobs that are added all the time do not keep it from ending: as many go as there were."""
    await produced.enqueue_many("x", [{}] * 10)
    step = control_clearing.drain_jobs

    async def slow(*args: Any, **options: Any) -> Any:
        await produced.enqueue_many("new", [{}] * 3)
        return await step(*args, **options)

    monkeypatch.setattr(clearing, "drain_jobs", slow)
    assert await operated.drain() == 10
    assert {job.name for job in await produced.jobs("waiting", limit=100)} == {"new"}


async def test_an_interrupted_drain(
    operated: QueueAdmin, produced: QueueClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part is done, every job that is left is whole, and asking again does the rest."""
    await produced.enqueue_many("x", [{}] * 10)
    step, calls = control_clearing.drain_jobs, 0

    async def interrupted(*args: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise asyncio.CancelledError
        return await step(*args, **options)

    monkeypatch.setattr(clearing, "drain_jobs", interrupted)
    with pytest.raises(asyncio.CancelledError):
        await operated.drain()
    assert await counted(operated) == {JobState.WAITING: 4}
    assert len(await produced.jobs("waiting")) == 4
    assert await operated.drain() == 4


async def test_drain_beside_a_worker(operated: QueueAdmin, client: Client) -> None:
    """Each job either ran or was removed, whatever worker and operator do at once."""
    queue = Queue(operated.name)

    @queue.task
    async def note(number: int) -> None:
        ran.append(number)

    ran: list[int] = []
    handles = await note.enqueue_many(client, range(200))
    async with Worker(queue, client=client, concurrency=3):
        removed = await operated.drain()
        ended = await asyncio.gather(*(handle.wait(timeout=10) for handle in handles), return_exceptions=True)
    assert sum(isinstance(end, JobGone) for end in ended) == removed
    assert len(ran) == len(set(ran)) == 200 - removed


@pytest.mark.parametrize("state", ["waiting", "prioritized", "delayed"])
async def test_clean_what_has_not_started(operated: QueueAdmin, produced: QueueClient, state: str) -> None:
    """All that is old enough goes, or as many as the limit says, and nothing of other states."""
    await filled(produced)
    before = await counted(operated)
    assert await operated.clean(state, older_than=3600) == 0
    assert await operated.clean(state, older_than=0, limit=4) == 4
    assert await operated.clean(state, older_than=0) == before[JobState(state)] - 4
    del before[JobState(state)]
    assert await counted(operated) == before


async def test_clean_between_young_jobs(
    operated: QueueAdmin, produced: QueueClient, raw: Raw, prefix: str
) -> None:
    """Old jobs of a waiting line are found wherever they stand; the order of the others is as it was."""
    handles = await produced.enqueue_many("x", [{}] * 20)
    old = [handle.id for handle in handles][::3]
    for job_id in old:
        await raw.hset(f"{prefix}:{operated.name}:{job_id}", "timestamp", 1)
    heard = Heard()
    assert await operated.clean("waiting", older_than=3600, on_progress=heard) == len(old)
    left = [job.id for job in await produced.jobs("waiting", limit=100)]
    assert left == [handle.id for handle in handles if handle.id not in old]
    assert heard[-1] == (len(old), 20)


@pytest.mark.parametrize("keep", [True, False])
async def test_clean_what_has_ended(operated: QueueAdmin, client: Client, keep: bool) -> None:
    """Completed jobs are cleaned apart from failed ones."""
    queue = Queue(operated.name)

    @queue.task(attempts=1)
    async def divide(by: int) -> float:
        return 1 / by

    async with Worker(queue, client=client):
        for handle in await divide.enqueue_many(client, [0, 1] * 5):
            await handle.wait(timeout=10)
    ended = [JobState.COMPLETED, JobState.FAILED]
    cleaned, kept = ended if keep else ended[::-1]
    assert await operated.clean(cleaned, older_than=0) == 5
    assert await counted(operated) == {kept: 5}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"state": "waiting-children", "older_than": 0}, "give one of completed"),
        ({"state": "done", "older_than": 0}, "give one of completed"),
        ({"state": "failed", "older_than": -1}, "not negative"),
        ({"state": "failed", "older_than": "1 day"}, "timedelta"),
        ({"state": "failed", "older_than": 0, "limit": 0}, "from 1"),
        ({"state": "failed", "older_than": 0, "limit": True}, "from 1"),
    ],
)
async def test_what_cannot_be_cleaned(operated: QueueAdmin, arguments: dict[str, Any], words: str) -> None:
    """What makes no sense is refused, with what is allowed."""
    with pytest.raises(InvalidOption, match=words):
        await operated.clean(arguments.pop("state"), **arguments)


async def test_obliterate(operated: QueueAdmin, produced: QueueClient, raw: Raw, prefix: str) -> None:
    """Nothing is left: no job, schedule, window, orphan, or key of Corral's own; another queue is not touched."""
    await filled(produced)
    other = f"{prefix}:{operated.name}-2"
    base, own = f"{prefix}:{operated.name}", f"{prefix}::corral:{operated.name}"
    await raw.zadd(f"{base}:waiting-children", {"p": 1})
    await raw.hset(f"{base}:p", "name", "p")
    await raw.sadd(f"{base}:p:dependencies", "x")
    await raw.zadd(f"{base}:repeat", {"s": 1})
    await raw.hset(f"{base}:repeat:s", "name", "s")
    for key in (
        f"{base}:de:x",
        f"{base}:limiter",
        f"{base}:orphan:lock",
        f"{own}:sent:x",
        f"{own}:any:thing",
    ):
        await raw.set(key, "1")
    await raw.hset(f"{base}:dn:x", "name", "x")
    await raw.hset(f"{base}:lost", "name", "x")
    await raw.set(f"{other}:kept", "1")
    heard = Heard()
    await operated.obliterate(on_progress=heard)
    assert [key async for key in raw.scan_iter(match=f"{prefix}*")] == [f"{other}:kept"]
    assert heard[-1] == (24, 24)
    assert await operated.paused() is False


async def test_a_queue_whose_name_is_also_a_prefix(
    operated: QueueAdmin, produced: QueueClient, redis_url: str, prefix: str, raw: Raw
) -> None:
    """`bull:mail` may be the queue `mail`, and the prefix of other queues: those are left alone, jobs and all."""
    await produced.enqueue("mine")
    async with Client(redis_url, prefix=f"{prefix}:{operated.name}") as other:
        inner = other.queue("inner")
        jobs = [await inner.enqueue("theirs"), await inner.enqueue("theirs", job_id="a:b:c", delay=60)]
        theirs = {key async for key in raw.scan_iter(match=f"{prefix}:{operated.name}:*inner:*")}
        assert await operated.orphans() == []
        assert await operated.remove_orphans() == 0
        await operated.obliterate()
        assert {key async for key in raw.scan_iter(match=f"{prefix}*")} == theirs
        assert [await job.state() for job in jobs] == [JobState.WAITING, JobState.DELAYED]


async def test_a_queue_beside_that_has_only_settings(
    operated: QueueAdmin, produced: QueueClient, redis_url: str, prefix: str
) -> None:
    """A queue below the same name that has nothing yet but what its operator has set keeps that."""
    await produced.enqueue("mine")
    async with Admin(redis_url, prefix=f"{prefix}:{operated.name}") as other:
        inner = other.queue("inner")
        await inner.pause()
        await operated.obliterate()
        assert await inner.paused() is True


async def test_obliterate_under_a_running_job(operated: QueueAdmin, client: Client) -> None:
    """A queue whose workers hold jobs stays as it is; with `force` it goes, and what the run says is refused."""
    queue = Queue(operated.name)
    started, go_on = asyncio.Event(), asyncio.Event()

    @queue.task
    async def stand(number: int) -> None:
        started.set()
        await go_on.wait()

    async with Worker(queue, client=client):
        await stand.enqueue(client, 1)
        await started.wait()
        with pytest.raises(QueueActive, match="1 job of it") as refused:
            await operated.obliterate()
        assert (refused.value.queue, refused.value.active) == (operated.name, 1)
        assert await operated.paused() is False
        await operated.obliterate(force=True)
        assert await counted(operated) == {}
        go_on.set()
        started.clear()
        await stand.enqueue(client, 2)
        await asyncio.wait_for(started.wait(), 15)


async def test_obliterate_while_jobs_are_added(
    operated: QueueAdmin, produced: QueueClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jobs added meanwhile go too, and it ends when nobody adds any more."""
    await produced.enqueue_many("x", [{}] * 5)
    finish, rounds = control_clearing.finish_obliterating, 0

    async def late(*args: Any) -> bool:
        nonlocal rounds
        rounds += 1
        if rounds < 3:
            await produced.enqueue("late")
        return await finish(*args)

    monkeypatch.setattr(clearing, "finish_obliterating", late)
    await operated.obliterate()
    assert rounds == 3
    assert await counted(operated) == {}
