"""Cron jobs of a database, run by Node: what their jobs are for stays in the options."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from corral.client.client import Client
from corral.client.queue import QueueClient
from corral.store.cron_job import CronJob
from corral.store.database import Database
from corral.store.schedules import DatabaseSchedules
from tests.interop.bullmq import Heard, NodeQueue

FAILS = {"script": [{"do": "throw", "message": "boom"}] * 2}
"""What Node's worker of the tests makes of it."""


async def test_node_keeps_the_kind(
    bull: NodeQueue, heard: Heard, ours: QueueClient, client: Client, tmp_path: Path
) -> None:
    """Node's workers run jobs of a cron job, and make the next ones: every one keeps the cron job's id; what was
    triggered, failed and was tried again is `cronTrigger` still."""
    async with Database(f"sqlite:///{tmp_path}/corral.db") as database:
        await database.migrate()
        schedules = DatabaseSchedules(database, client=client)
        wanted = CronJob(job_id="often", pattern="* * * * * *", handler="n", queue=ours.name, backoff_ms=1)
        often = await schedules.cron_jobs.create(wanted)
        failing = replace(wanted, job_id="failing", pattern="0 0 1 1 *", max_attempts=2, payload=FAILS)
        fails = await schedules.cron_jobs.create(failing)
        await schedules.register()
        triggered = await schedules.trigger(fails)
        await bull.call("startWorker", worker="w", opts={})
        await heard.until("completed", count=3)
        await heard.until("failed", job_id=triggered.id)
        await bull.call("stopWorker", worker="w")
        ran = (await schedules.history(often)).jobs
        assert len(ran) >= 3
        pending = [job for job in await ours.jobs("delayed") if job.repeat_key == "often"]
        assert {(job.kind, job.opts.cron_job, job.opts.raw["kind"]) for job in (*ran, *pending)} == {
            ("cron", often.id, "cron")
        }
        assert len(pending) == 1
        (failed,) = (await schedules.history(fails)).jobs
        assert (failed.id, failed.kind, failed.attempts_made) == (triggered.id, "cronTrigger", 2)
        assert failed.opts.cron_job == fails.id
