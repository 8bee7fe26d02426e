"""Schedules: a job on weekdays at nine by the clock in Berlin, one every second, and what an operator sees of them."""

import asyncio
from datetime import UTC, datetime
from itertools import count

from corral import Admin, Client, Cron, Every, Queue, Worker

reports = Queue("reports")
numbers = count(1)


@reports.task
async def digest(team: str) -> str:
    return f"digest {next(numbers)} for {team}"


async def main() -> None:
    async with Client() as client, Admin() as admin, Worker(reports, client=client):
        # Every replica of a service may say this when it starts: it is one schedule, with one job that waits.
        weekdays = Cron("0 9 * * mon-fri", tz="Europe/Berlin", start=datetime(2050, 1, 1, tzinfo=UTC))
        jobs = [
            await digest.enqueue(client, "sales", job_id="weekdays", repeat=weekdays, attempts=5)
            for _ in range(2)
        ]
        print(jobs[0].id == jobs[1].id, await jobs[0].state())

        async with client.queue("reports").events() as events:
            await digest.enqueue(client, "support", job_id="ticking", repeat=Every(seconds=1, limit=2))
            results = (event.returnvalue async for event in events if event.name == "completed")
            print(await anext(results), "and", await anext(results))

        schedules = admin.queue("reports").schedules
        for schedule in await schedules.list():
            print(schedule.id, schedule.name, schedule.iterations, schedule.next_run)
        for run in await schedules.preview("weekdays", 3):
            print(f"{run:%a %d %b %H:%M} UTC")
        print([await schedules.remove(schedule_id) for schedule_id in ("weekdays", "ticking", "unknown")])


asyncio.run(main())

# Output:
# True delayed
# digest 1 for support and digest 2 for support
# ticking digest 2 None
# weekdays digest 1 2050-01-03 08:00:00+00:00
# Mon 03 Jan 08:00 UTC
# Tue 04 Jan 08:00 UTC
# Wed 05 Jan 08:00 UTC
# [True, True, False]
