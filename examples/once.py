"""One job for many calls: the same job id, and deduplication for a time."""

import asyncio
from datetime import timedelta

from corral import Client, Deduplication, JobState, Queue

reports = Queue("reports")


@reports.task
async def build(customer: str) -> None: ...


async def main() -> None:
    async with Client() as client:
        # The same id is one job for as long as that job is kept.
        for _ in range(2):
            job = await build.enqueue(client, "ada", job_id="report:ada:2026-03")
            print(job.id, job.created)

        # At most one job in ten minutes, whatever becomes of it.
        throttle = Deduplication.throttle("report-grace", ttl=timedelta(minutes=10))
        first = await build.enqueue(client, "grace", deduplication=throttle)
        second = await build.enqueue(client, "grace", deduplication=throttle)
        print(first.created, second.created, first.id == second.id)

        # The last call of a burst: each replaces the one before while that is still delayed.
        debounce = Deduplication.debounce("report-alan", ttl=5)
        for _ in range(3):
            await build.enqueue(client, "alan", delay=5, deduplication=debounce)
        print((await client.queue("reports").counts())[JobState.DELAYED], "delayed")


asyncio.run(main())

# Output:
# report:ada:2026-03 True
# report:ada:2026-03 False
# True False True
# 1 delayed
