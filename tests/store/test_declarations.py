"""What a program declares, and what an operator sets: the operator wins, field by field, until it is given back."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from corral.errors import CronJobGone, InvalidCronJob
from corral.store.cron_job import CronJob, StoredCronJob
from corral.store.cron_jobs import CronJobs
from corral.store.database import Database
from tests.store.tasks import Digest, MailTasks

DECLARED = CronJob.of(MailTasks.digest, Digest(to="ada"), "0 9 * * *", job_id="digest")


async def found(cron_jobs: CronJobs, job_id: str = "digest") -> StoredCronJob:
    """One that has to be there."""
    cron_job = await cron_jobs.find(job_id)
    assert cron_job is not None
    return cron_job


async def test_a_deploy_makes_and_changes(cron_jobs: CronJobs) -> None:
    """What is declared is made at the first deploy, follows later ones, and stays as it is where they say the same."""
    await cron_jobs.declare(DECLARED)
    first = await found(cron_jobs)
    assert (first.owner, first.declared, first.revision) == ("code", True, 1)
    await cron_jobs.declare(DECLARED)
    assert await found(cron_jobs) == first
    await cron_jobs.declare(replace(DECLARED, pattern="0 10 * * *"))
    second = await found(cron_jobs)
    assert (second.id, second.pattern, second.revision) == (first.id, "0 10 * * *", 2)


async def test_an_operators_edit_survives_deploys(cron_jobs: CronJobs) -> None:
    """A field that an operator has set stays, whatever is declared later; the other fields follow the program."""
    await cron_jobs.declare(DECLARED)
    row = await found(cron_jobs)
    edited = await cron_jobs.update(row.id, enabled=False, pattern=DECLARED.pattern)
    assert (edited.owner, edited.edited) == ("operator", ("enabled",))
    await cron_jobs.declare(replace(DECLARED, pattern="0 10 * * *", enabled=True))
    after = await found(cron_jobs)
    assert (after.enabled, after.pattern, after.edited) == (False, "0 10 * * *", ("enabled",))


async def test_a_renamed_one_is_still_the_declared_one(cron_jobs: CronJobs) -> None:
    """An operator gave it another job id: a deploy finds it, and makes no second one."""
    await cron_jobs.declare(DECLARED)
    row = await found(cron_jobs)
    await cron_jobs.update(row.id, job_id="renamed")
    await cron_jobs.declare(replace(DECLARED, tz="Europe/Berlin"))
    assert [(each.job_id, each.tz) for each in (await cron_jobs.list()).cron_jobs] == [
        ("renamed", "Europe/Berlin")
    ]


async def test_it_can_be_given_back(cron_jobs: CronJobs) -> None:
    """`give_back` makes it what the program declared last, at once; one that no program declares has nobody to be
    given to."""
    await cron_jobs.declare(DECLARED)
    row = await found(cron_jobs)
    await cron_jobs.update(row.id, enabled=False, job_id="renamed")
    await cron_jobs.declare(replace(DECLARED, pattern="0 10 * * *"))
    back = await cron_jobs.give_back(row.id)
    assert (back.owner, back.job_id, back.enabled, back.pattern) == ("code", "digest", True, "0 10 * * *")
    own = await cron_jobs.create(replace(DECLARED, job_id="own"))
    with pytest.raises(CronJobGone):
        await cron_jobs.give_back(own.id)


async def test_a_deleted_one_does_not_come_back(cron_jobs: CronJobs) -> None:
    """An operator deleted what the program declares: deploys leave it so. Its job id is free for another one."""
    await cron_jobs.declare(DECLARED)
    await cron_jobs.delete((await found(cron_jobs)).id)
    await cron_jobs.declare(replace(DECLARED, pattern="0 10 * * *"))
    assert (await cron_jobs.list()).cron_jobs == []
    own = await cron_jobs.create(replace(DECLARED, pattern="@daily"))
    await cron_jobs.declare(DECLARED)
    assert await found(cron_jobs) == own


async def test_an_operators_own_is_adopted_unchanged(cron_jobs: CronJobs) -> None:
    """The program begins to declare a job id that an operator has made: all stays as the operator set it."""
    own = await cron_jobs.create(replace(DECLARED, pattern="@daily"))
    await cron_jobs.declare(DECLARED)
    row = await found(cron_jobs)
    assert (row.id, row.pattern, row.owner, row.declared) == (own.id, "@daily", "operator", True)
    assert (await cron_jobs.give_back(own.id)).pattern == DECLARED.pattern


async def test_workers_that_start_at_once_declare_once(database_url: str) -> None:
    """Several workers declare the same in the same moment: each cron job is there once."""
    async with Database(database_url) as one, Database(database_url) as two:
        await one.migrate()
        declared = [replace(DECLARED, job_id=f"job-{number}") for number in range(5)]
        workers = [CronJobs(database, MailTasks) for database in (one, two) for _ in range(2)]
        await asyncio.gather(*(worker.declare(*declared) for worker in workers))
        assert [each.job_id for each in (await workers[0].list()).cron_jobs] == [f"job-{n}" for n in range(5)]


async def test_a_wrong_declaration_stores_nothing(cron_jobs: CronJobs) -> None:
    """One of several is not valid, or two have one job id: an error, and none is stored."""
    for wrong in (replace(DECLARED, job_id="b", pattern="x"), replace(DECLARED, tz="Asia/Kolkata")):
        with pytest.raises(InvalidCronJob):
            await cron_jobs.declare(DECLARED, wrong)
    assert (await cron_jobs.list()).cron_jobs == []


async def test_two_programs_declare_the_same_in_different_orders(
    database_url: str, database: Database
) -> None:
    """They wait for each other in a line, and not in a circle."""
    declared = [
        CronJob(job_id=f"job-{number:02}", pattern="@daily", handler="x", queue="q") for number in range(20)
    ]
    await CronJobs(database).declare(*declared)
    async with Database(database_url) as other:
        for _ in range(3):
            await asyncio.gather(
                CronJobs(database).declare(*declared), CronJobs(other).declare(*reversed(declared))
            )
