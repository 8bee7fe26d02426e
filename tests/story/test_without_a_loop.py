"""Programs without an event loop: Django, Flask, scripts."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from corral import Client, JobState, Queue, SyncClient, Worker

reports = Queue("reports")


@reports.task
async def render(month: int) -> str:
    """Render a report."""
    return f"report {month:02}"


def script(url: str, prefix: str) -> str:
    """A whole program: enqueue, wait, done."""
    with SyncClient(url, prefix=prefix) as client:
        job = render.enqueue(client, 7)
        return job.result(timeout=30)


async def test_a_script_enqueues_and_waits(client: Client, redis_url: str, prefix: str) -> None:
    """`SyncClient` has the verbs of `Client`, blocking; the same tasks take either."""
    async with Worker(reports, client=client):
        assert await asyncio.to_thread(script, redis_url, prefix) == "report 07"


async def test_threads_share_one_client(client: Client, redis_url: str, prefix: str) -> None:
    """One `SyncClient` serves all threads of a web server; each gets its own job's result."""
    with SyncClient(redis_url, prefix=prefix) as shared, ThreadPoolExecutor(8) as threads:

        def request(month: int) -> str:
            return render.enqueue(shared, month).result(timeout=30)

        loop = asyncio.get_running_loop()
        async with Worker(reports, client=client):
            pages = await asyncio.gather(
                *(loop.run_in_executor(threads, request, month) for month in range(1, 13))
            )
        assert pages == [f"report {month:02}" for month in range(1, 13)]
        counts = await asyncio.to_thread(shared.queue("reports").counts)
    assert counts[JobState.COMPLETED] == 12
