"""A worker is killed anywhere between the change of a row and its registration: the next start heals."""

from __future__ import annotations

import asyncio
import random
import sys

import pytest
from sqlalchemy import func, select

from corral import Admin
from corral.store.cron_jobs import CronJobs
from corral.store.database import Database
from corral.store.registrar import Registrar
from corral.store.tables import RegistrationRow

KILLS = 12


@pytest.mark.faults
async def test_the_next_start_heals(database_url: str, redis_url: str, prefix: str, admin: Admin) -> None:
    """A process makes, renames, moves, disables and deletes cron jobs, and is killed at random moments. After each
    kill the next start leaves exactly the schedules that the table asks for, each noted as registered."""
    async with Database(database_url) as database:
        await database.migrate()
        for _ in range(KILLS):
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.store.changing_program", database_url, redis_url, prefix,
                stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            assert process.stdout is not None
            assert await process.stdout.readline() == b"at work\n"
            asyncio.get_running_loop().call_later(random.uniform(0, 0.4), process.kill)
            await process.wait()
            cron_jobs = CronJobs(database)
            await Registrar(cron_jobs, admin.server).register()
            wanted = {(row.queue, row.job_id) for row in (await cron_jobs.list()).cron_jobs if row.enabled}
            found = {
                (queue, schedule.id)
                for queue in ("mail", "other")
                for schedule in await admin.queue(queue).schedules.list()
            }
            assert found == wanted
            async with database.reading() as session:
                assert await session.scalar(select(func.count()).select_from(RegistrationRow)) == len(wanted)
