"""A process that changes cron jobs and registers them, until it is killed.

python -m tests.store.changing_program DATABASE_URL REDIS_URL PREFIX
"""

from __future__ import annotations

import asyncio
import random
import sys

from corral import Admin
from corral.errors import CronJobTaken
from corral.store.cron_job import CronJob
from corral.store.cron_jobs import CronJobs
from corral.store.database import Database
from corral.store.registrar import Registrar

NAMES = [f"job-{number}" for number in range(6)]


async def change(cron_jobs: CronJobs) -> None:
    """One change to one of a few cron jobs."""
    name = random.choice(NAMES)
    row = await cron_jobs.find(name)
    if row is None:
        await cron_jobs.create(CronJob(job_id=name, pattern="0 3 * * *", handler="x", queue="mail"))
        return
    how = random.randrange(3)
    if how == 0:
        await cron_jobs.delete(row.id)
    elif how == 1:
        await cron_jobs.update(row.id, enabled=not row.enabled)
    else:
        await cron_jobs.update(row.id, job_id=random.choice(NAMES), queue=random.choice(["mail", "other"]))


async def main(database_url: str, redis_url: str, prefix: str) -> None:
    """Change and register, without end."""
    async with Database(database_url) as database, Admin(redis_url, prefix=prefix) as admin:
        cron_jobs = CronJobs(database)
        registrar = Registrar(cron_jobs, admin.server)
        await registrar.register()
        print("at work", flush=True)
        while True:
            try:
                await change(cron_jobs)
            except CronJobTaken:
                continue
            await registrar.register()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4]))
