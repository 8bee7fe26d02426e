"""A worker with the cron jobs of a database: it registers them, follows changes, runs their jobs; and trigger and
history."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from corral import Admin, Client, Context, Unrecoverable, Worker
from corral.errors import InvalidCronJob, InvalidOption
from corral.store.cron_job import CronJob, StoredCronJob
from corral.store.database import Database
from corral.store.schedules import DatabaseSchedules
from tests.store.tasks import Digest, MailTasks

DIGEST = CronJob.of(MailTasks.digest, Digest(to="ada"), "0 3 * * *", job_id="digest")
OFTEN = 0.05
"""Seconds between two looks, so that tests do not wait."""


class Seen:
    """What handlers were called with."""

    def __init__(self) -> None:
        self.runs: asyncio.Queue[tuple[str, str, str]] = asyncio.Queue()

    def tasks(self) -> MailTasks:
        """Handlers that tell."""

        async def digest(payload: Digest, ctx: Context) -> None:
            self.runs.put_nowait((payload.to, ctx.kind, ctx.job_id))
            if payload.to == "nobody":
                raise Unrecoverable("no such person")

        async def purge(payload: None) -> int:
            return 0

        return MailTasks(digest=digest, purge=purge)


def scheduled(database: Database, client: Client | None = None, *declared: CronJob) -> DatabaseSchedules:
    """Schedules that follow quickly."""
    return DatabaseSchedules(database, MailTasks, declared=declared, client=client, interval=OFTEN)


async def registered(client: Client, *expected: str) -> None:
    """Return when exactly these schedules are there."""
    schedules = Admin(client.server.settings.url, prefix=client.server.settings.prefix)
    async with schedules, asyncio.timeout(30):
        while {found.id for found in await schedules.queue("mail").schedules.list()} != set(expected):
            await asyncio.sleep(0)


async def stored(schedules: DatabaseSchedules, job_id: str = "digest") -> StoredCronJob:
    """A cron job that has to be there."""
    found = await schedules.cron_jobs.find(job_id)
    assert found is not None
    return found


async def promoted(admin: Admin) -> str:
    """Let the pending run happen now; the id of its job."""
    (pending,) = await admin.queue("mail").jobs.list("delayed")
    await admin.queue("mail").jobs.promote(pending.id)
    return pending.id


class TestInAWorker:
    """What a worker does with it."""

    async def test_it_starts_with_an_empty_database(self, database_url: str, client: Client) -> None:
        """The tables are made, what is declared is stored and registered before the first claim."""
        async with (
            Database(database_url) as database,
            Worker(Seen().tasks(), client=client, lifespan=scheduled(database, client, DIGEST)),
        ):
            found = await client.queue("mail").jobs("delayed")
            assert [job.repeat_key for job in found] == ["digest"]
            assert (await stored(scheduled(database))).owner == "code"

    async def test_its_jobs_run_and_know_their_kind(
        self, database: Database, client: Client, admin: Admin
    ) -> None:
        """A job of the schedule is `cron` for handler and snapshot, a triggered one `cronTrigger`, another `adhoc`."""
        seen, schedules = Seen(), scheduled(database, client, DIGEST)
        async with Worker(seen.tasks(), client=client, lifespan=schedules):
            scheduled_id = await promoted(admin)
            assert await seen.runs.get() == ("ada", "cron", scheduled_id)
            triggered = await schedules.trigger(await stored(schedules))
            assert await seen.runs.get() == ("ada", "cronTrigger", triggered.id)
            called = await MailTasks.digest.enqueue(client, Digest(to="bob"))
            assert await seen.runs.get() == ("bob", "adhoc", called.id)
            await called.result(timeout=20)
            await triggered.result(timeout=20)
        kinds = {}
        for job_id in (scheduled_id, triggered.id, called.id):
            job = await client.queue("mail").get(job_id)
            assert job is not None
            kinds[job.id] = job.kind
        assert list(kinds.values()) == ["cron", "cronTrigger", "adhoc"]

    async def test_it_follows_what_is_changed(self, database: Database, client: Client) -> None:
        """Made, disabled, enabled, renamed and deleted while the worker runs: each soon shows in Redis."""
        schedules = scheduled(database, client)
        cron_jobs = schedules.cron_jobs
        async with Worker(Seen().tasks(), client=client, lifespan=schedules):
            row = await cron_jobs.create(DIGEST)
            await registered(client, "digest")
            await cron_jobs.update(row.id, enabled=False)
            await registered(client)
            await cron_jobs.update(row.id, enabled=True, job_id="renamed")
            await registered(client, "renamed")
            await cron_jobs.delete(row.id)
            await registered(client)

    async def test_an_operators_edit_survives_a_restart(self, database: Database, client: Client) -> None:
        """Disabled by an operator, declared by the program: after a restart it is still disabled."""
        schedules = scheduled(database, client, DIGEST)
        async with Worker(Seen().tasks(), client=client, lifespan=schedules):
            await schedules.cron_jobs.update((await stored(schedules)).id, enabled=False)
            await registered(client)
        async with Worker(Seen().tasks(), client=client, lifespan=scheduled(database, client, DIGEST)):
            assert await client.queue("mail").jobs("delayed") == []

    async def test_a_wrong_declaration_ends_the_start(self, database: Database, client: Client) -> None:
        """What the program declares is not valid: the worker does not start, and says why."""
        schedules = scheduled(database, client, replace(DIGEST, pattern="whenever"))
        with pytest.raises(InvalidCronJob, match="pattern"):
            await Worker(Seen().tasks(), client=client, lifespan=schedules).run()

    async def test_a_worker_works_without_its_database(self, tmp_path: Path, client: Client) -> None:
        """The database is away when the worker starts: it runs jobs all the same, and registers when it is there."""
        folder = tmp_path / "later"
        seen = Seen()
        async with (
            Database(f"sqlite:///{folder}/corral.db") as database,
            Worker(seen.tasks(), client=client, lifespan=scheduled(database, client, DIGEST)),
        ):
            await MailTasks.digest.enqueue(client, Digest(to="bob"))
            assert (await seen.runs.get())[0] == "bob"
            folder.mkdir()
            await registered(client, "digest")

    async def test_several_workers(self, database_url: str, client: Client) -> None:
        """Three workers with databases of their own on one table: one schedule, one pending job."""

        @asynccontextmanager
        async def worker() -> AsyncIterator[None]:
            async with (
                Database(database_url) as database,
                Worker(Seen().tasks(), client=client, lifespan=scheduled(database, client, DIGEST)),
            ):
                yield

        async with worker(), worker(), worker():
            await registered(client, "digest")
        assert len(await client.queue("mail").jobs("delayed")) == 1


class TestTrigger:
    """Run it now."""

    async def test_it_has_the_rows_options(self, database: Database, client: Client) -> None:
        """Payload, attempts and backoff are the row's, the rest the task's; each has an id of its own; a disabled row
        can be triggered, too."""
        schedules = scheduled(database, client)
        row = await schedules.cron_jobs.create(
            replace(DIGEST, enabled=False, max_attempts=7, backoff_ms=250, job_id="a:b %")
        )
        first, second = await schedules.trigger(row), await schedules.trigger(row)
        assert first.id != second.id
        job = await client.queue("mail").get(first.id)
        assert job is not None
        assert (job.kind, job.data, job.name) == ("cronTrigger", {"to": "ada", "days": 1}, "mail.digest")
        assert job.opts.attempts == 7
        assert job.opts.backoff is not None
        assert job.opts.backoff.delay_ms == 250
        assert job.opts.cron_job == row.id

    async def test_one_with_a_problem_is_refused(self, database: Database, client: Client) -> None:
        """`InvalidCronJob`, and no job; and without a client nothing can be triggered."""
        schedules = scheduled(database, client)
        row = await schedules.cron_jobs.create(DIGEST)
        with pytest.raises(InvalidCronJob):
            await schedules.trigger(replace(row, payload={}))
        assert await client.queue("mail").jobs("waiting") == []
        with pytest.raises(InvalidOption, match="client="):
            await scheduled(database).trigger(row)


class TestHistory:
    """What became of its jobs."""

    async def test_what_ran_is_there_newest_first(
        self, database: Database, client: Client, admin: Admin
    ) -> None:
        """Scheduled and triggered jobs with state, times and error; not the pending one, nor jobs of others, also where
        their ids begin alike."""
        seen, schedules = Seen(), scheduled(database, client, DIGEST, replace(DIGEST, job_id="digest:b"))
        async with Worker(seen.tasks(), client=client, lifespan=schedules):
            row = await stored(schedules)
            other = await schedules.trigger(await stored(schedules, "digest:b"))
            await other.result(timeout=20)
            first = await schedules.trigger(row)
            await first.result(timeout=20)
            wrong = await schedules.cron_jobs.update(row.id, payload={"to": "nobody"})
            second = await schedules.trigger(wrong)
            with pytest.raises(Exception, match="no such person"):
                await second.result(timeout=20)
        history = await schedules.history(row)
        assert [job.id for job in history.jobs] == [second.id, first.id]
        failed, done = history.jobs
        assert (failed.state, failed.failed_reason, failed.kind) == (
            "failed",
            "no such person",
            "cronTrigger",
        )
        assert done.state == "completed"
        assert done.processed_on is not None
        assert done.finished_on is not None
        assert done.processed_on <= done.finished_on <= datetime.now(UTC)
        assert history.since is None
        assert [job.id for job in (await schedules.history(row, limit=1)).jobs] == [second.id]
        assert [job.id for job in (await schedules.history(await stored(schedules, "digest:b"))).jobs] == [
            other.id
        ]

    async def test_a_scheduled_run_and_one_that_waits(
        self, database: Database, client: Client, admin: Admin
    ) -> None:
        """A run of the schedule is there, and a triggered job that waits comes first."""
        seen, schedules = Seen(), scheduled(database, client, DIGEST)
        async with Worker(seen.tasks(), client=client, lifespan=schedules):
            ran = await promoted(admin)
            await client.queue("mail").job(ran).result(timeout=20)
        row = await stored(schedules)
        waits = await schedules.trigger(row)
        history = await schedules.history(row)
        assert [(job.id, job.kind, job.state) for job in history.jobs] == [
            (waits.id, "cronTrigger", "waiting"),
            (ran, "cron", "completed"),
        ]


async def test_operators_register_at_once(database: Database, client: Client) -> None:
    """`register` does what a worker would do with its next look."""
    schedules = scheduled(database, client)
    row = await schedules.cron_jobs.create(DIGEST)
    await schedules.register()
    await registered(client, "digest")
    await schedules.cron_jobs.delete(row.id)
    await schedules.register()
    await registered(client)
