"""What an operator does to one queue."""

from __future__ import annotations

from corral import Client, JobState, Queue, Worker
from corral.admin.queue import QueueAdmin
from corral.client.queue import QueueClient


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
