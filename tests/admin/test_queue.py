"""What an operator does to one queue."""

from __future__ import annotations

import pytest

from corral import Client, JobState, Queue, RateLimit, Worker
from corral.admin.queue import QueueAdmin
from corral.admin.settings import QueueSettings
from corral.client.queue import QueueClient
from corral.errors import InvalidOption, QueueDamaged
from tests.interop.snapshot import Raw


async def test_pause_and_resume(operated: QueueAdmin, produced: QueueClient) -> None:
    """The state of the queue is what was asked for, however often."""
    assert await operated.paused() is False
    for _ in range(2):
        await operated.pause()
        assert await operated.paused() is True
    assert await produced.paused() is True
    for _ in range(2):
        await operated.resume()
        assert await operated.paused() is False


async def test_a_pause_with_workers_waiting(operated: QueueAdmin, client: Client) -> None:
    """Workers that sleep through a pause run nothing of what is added meanwhile, and all of it after the resume."""
    queue = Queue(operated.name)
    ran: list[int] = []

    @queue.task
    async def note(number: int) -> None:
        ran.append(number)

    async with Worker(queue, client=client, concurrency=2), Worker(queue, client=client, concurrency=2):
        await (await note.enqueue(client, 0)).wait(timeout=10)
        await operated.pause()
        handles = await note.enqueue_many(client, [1, 2, 3, 4, 5])
        assert (await operated.counts())[JobState.WAITING] == 5
        assert ran == [0]
        await operated.resume()
        for handle in handles:
            await handle.wait(timeout=10)
    assert sorted(ran) == [0, 1, 2, 3, 4, 5]


async def test_counts(operated: QueueAdmin, produced: QueueClient) -> None:
    """Each state is counted."""
    await produced.enqueue_many("x", [1, 2])
    await produced.enqueue("x", delay=60)
    await produced.enqueue("x", priority=1)
    counts = {state: count for state, count in (await operated.counts()).items() if count}
    assert counts == {JobState.WAITING: 2, JobState.DELAYED: 1, JobState.PRIORITIZED: 1}


async def test_priorities(operated: QueueAdmin, produced: QueueClient) -> None:
    """Ready jobs are counted by priority, in the order in which they run; there may be any number of priorities."""
    await produced.enqueue_many("x", [1, 2])
    await produced.enqueue("later", delay=60, priority=7)
    for priority in range(1, 204, 2):
        await produced.enqueue_many("x", [0] * (1 + priority % 3), priority=priority)
    await produced.enqueue("last", priority=2**21 - 1)
    expected = {0: 2} | {priority: 1 + priority % 3 for priority in range(1, 204, 2)} | {2**21 - 1: 1}
    found = await operated.priorities()
    assert list(found.items()) == list(expected.items())


async def test_metrics(operated: QueueAdmin, produced: QueueClient) -> None:
    """Finished jobs are counted by the minute; other states have no metrics."""
    assert await operated.metrics("completed") == (0, [])
    with pytest.raises(InvalidOption, match="completed or failed"):
        await operated.metrics("waiting")


@pytest.mark.parametrize("damage", ["count", "minute", "type"])
async def test_damaged_metrics(
    operated: QueueAdmin, produced: QueueClient, raw: Raw, prefix: str, damage: str
) -> None:
    """What is no number, or another kind of key, is told with the key it stands in, and the other state is read."""
    base = f"{prefix}:{produced.name}:metrics:failed"
    if damage == "count":
        await raw.hset(base, "count", "many")
    elif damage == "minute":
        await raw.rpush(f"{base}:data", "1", "few")
    else:
        await raw.set(f"{base}:data", "text")
    with pytest.raises(QueueDamaged, match="remove it") as caught:
        await operated.metrics("failed")
    assert (caught.value.queue, caught.value.key) == (produced.name, base)
    assert await operated.metrics("completed") == (0, [])


async def test_settings(operated: QueueAdmin, produced: QueueClient) -> None:
    """What holds for the queue is read; what nobody has set is None."""
    assert await operated.settings() == QueueSettings(False, None, None, None, None, None)
    await produced.enqueue("x")
    await operated.pause()
    await operated.set_max_events(500)
    await operated.set_peers(6)
    assert await operated.settings() == QueueSettings(True, None, None, 500, "corral", 6)
    with pytest.raises(InvalidOption, match="whole number from 0"):
        await operated.set_max_events(-1)


async def test_limits(operated: QueueAdmin, produced: QueueClient, raw: Raw, prefix: str) -> None:
    """How many jobs may run and how fast they may start is set for all workers, and taken back."""
    limit = RateLimit(5, per=2)
    await operated.set_concurrency(3)
    await operated.set_rate_limit(limit)
    kept = await operated.settings()
    assert (kept.concurrency, kept.rate_limit) == (3, limit)
    await operated.set_concurrency(None)
    await operated.set_rate_limit(None)
    kept = await operated.settings()
    assert (kept.concurrency, kept.rate_limit) == (None, None)
    await operated.hold(60)
    assert 0 < await raw.pttl(f"{prefix}:{operated.name}:limiter") <= 60_000
    await operated.hold(0)
    assert await raw.exists(f"{prefix}:{operated.name}:limiter") == 0
    with pytest.raises(InvalidOption, match="not negative"):
        await operated.hold(-1)
    with pytest.raises(InvalidOption, match="from 1"):
        await operated.set_concurrency(0)


async def test_how_long_nothing_starts(operated: QueueAdmin, client: Client) -> None:
    """The seconds until a time off or a window that is used up is over, and 0 while jobs may start."""
    assert await operated.held_for() == 0
    await operated.hold(60)
    assert 55 < await operated.held_for() <= 60
    await operated.hold(0)
    tasks, limit = Queue(operated.name), RateLimit(1, per=60)

    @tasks.task
    async def note(number: int) -> int:
        return number

    async with Worker(tasks, client=client, limiter=limit):
        await (await note.enqueue(client, 1)).result(timeout=10)
    assert 50 < await operated.held_for(limit) <= 60
    assert await operated.held_for(RateLimit(2, per=60)) == 0
    with pytest.raises(InvalidOption, match="RateLimit"):
        await operated.held_for(1)  # type: ignore[arg-type]


async def test_deduplication_ids(operated: QueueAdmin, produced: QueueClient) -> None:
    """The owner of an id is read, and the id taken from it, or from one job only; ids look as users give them."""
    first = await produced.enqueue("x", job_id="invite:1", deduplication="news: ü")
    assert await operated.deduplication("news: ü") == "invite:1"
    assert not (await produced.enqueue("x", deduplication="news: ü")).created
    assert not await operated.remove_deduplication("news: ü", job_id="invite:2")
    assert await operated.remove_deduplication("news: ü", job_id="invite:1")
    assert await operated.deduplication("news: ü") is None
    second = await produced.enqueue("x", deduplication="news: ü")
    assert second.created
    assert await first.state() is JobState.WAITING
    assert await operated.remove_deduplication("news: ü")
    assert not await operated.remove_deduplication("news: ü")
    for wrong in (None, 5):
        with pytest.raises(InvalidOption, match="give text"):
            await operated.deduplication(wrong)  # type: ignore[arg-type]
        with pytest.raises(InvalidOption, match="give text"):
            await operated.remove_deduplication(wrong)  # type: ignore[arg-type]


async def test_trimming_events(operated: QueueAdmin, produced: QueueClient, raw: Raw, prefix: str) -> None:
    """The stream is cut to about what was asked for: whole blocks of it go."""
    await produced.enqueue_many("x", [{}] * 1000)
    stream = f"{prefix}:{operated.name}:events"
    before = await raw.xlen(stream)
    removed = await operated.trim_events(100)
    assert await raw.xlen(stream) == before - removed
    assert 100 <= before - removed < 300


async def test_peers(operated: QueueAdmin, produced: QueueClient, raw: Raw, prefix: str) -> None:
    """An operator may say that BullMQ 5 looks on: then the ready ids of a paused queue are where it looks for them,
    those that are there already and new ones; otherwise they stay."""
    await produced.enqueue_many("x", [1, 2])
    await operated.pause()
    lengths = [f"{prefix}:{operated.name}:{name}" for name in ("wait", "paused")]
    assert [await raw.llen(key) for key in lengths] == [2, 0]
    await operated.set_peers(5)
    await produced.enqueue("x")
    assert [await raw.llen(key) for key in lengths] == [0, 3]
    await operated.set_peers(None)
    await operated.resume()
    assert [await raw.llen(key) for key in lengths] == [3, 0]
    with pytest.raises(InvalidOption, match="5 or 6"):
        await operated.set_peers(4)
