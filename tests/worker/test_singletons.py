"""Workers that share singleton tasks."""

from __future__ import annotations

import asyncio

from corral import Client, Every, Queue, Singleton, Worker
from corral.client.queue import QueueClient


async def test_over_two_workers(client: Client, queue: QueueClient) -> None:
    """Of each key one job runs at a time, on whichever worker, in the order of arrival; keys run beside each other."""
    running: dict[str, int] = {"a": 0, "b": 0}
    seen: list[str] = []
    both = asyncio.Event()

    def tasks() -> Queue:
        made = Queue(queue.name)

        @made.task(singleton=lambda payload: payload.partition("-")[0])
        async def work(payload: str) -> None:
            key = payload.partition("-")[0]
            running[key] += 1
            assert running[key] == 1
            if all(running.values()):
                both.set()
            await both.wait()
            seen.append(payload)
            running[key] -= 1

        return made

    first = tasks()
    async with Worker(first, client=client), Worker(tasks(), client=client):
        work = first.bindings()["work"].spec
        requests = [work.request(f"{key}-{number:02}", {}) for number in range(20) for key in "ab"]
        for job in await client.submit_many(requests):
            await job.result(timeout=20)
    for key in "ab":
        turns = [payload for payload in seen if payload.startswith(key)]
        assert turns == sorted(turns)


async def test_a_schedule_that_is_skipped_goes_on(client: Client, queue: QueueClient) -> None:
    """An iteration that finds its key held fails; the next one comes."""
    tasks, gate, begun = Queue(queue.name), asyncio.Event(), asyncio.Event()

    @tasks.task(singleton=Singleton(otherwise="skip"))
    async def tick(_payload: None) -> None:
        begun.set()
        await gate.wait()

    async with Worker(tasks, client=client):
        await tick.enqueue(client, None, repeat=Every(0.2))
        await begun.wait()
        while (await queue.counts())["failed"] < 2:  # type: ignore[index]
            await asyncio.sleep(0)
        gate.set()
        while (await queue.counts())["completed"] < 2:  # type: ignore[index]
            await asyncio.sleep(0)
        kept = await queue.jobs("failed")
    assert all((job.failed_reason or "").startswith("skipped: repeat:tick:") for job in kept)
