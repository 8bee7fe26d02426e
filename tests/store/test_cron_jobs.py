"""Cron jobs in the database: list, read, create, change, delete."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from corral.errors import CronJobChanged, CronJobGone, CronJobTaken, InvalidCronJob, InvalidOption
from corral.store.cron_job import CronJob
from corral.store.cron_jobs import CronJobs
from corral.store.database import Database
from tests.store.conftest import Clock
from tests.store.tasks import MailTasks

NIGHTLY = CronJob(
    job_id="nightly", pattern="0 3 * * *", handler="mail.digest", payload={"to": "ada"}, queue="mail"
)


@pytest.fixture
def cron_jobs(database: Database, clock: Clock) -> CronJobs:
    """Cron jobs of known tasks, by a clock that tests move."""
    return CronJobs(database, MailTasks, clock=clock)


async def test_what_is_created_can_be_read(cron_jobs: CronJobs, clock: Clock) -> None:
    """By its id and by its job id, with all that was said and what belongs to the row."""
    made = await cron_jobs.create(NIGHTLY)
    assert made == await cron_jobs.get(made.id) == await cron_jobs.find("nightly")
    assert made.as_json() == {
        "id": made.id, "jobId": "nightly", "name": "nightly", "pattern": "0 3 * * *", "handler": "mail.digest",
        "payload": {"to": "ada"}, "enabled": True, "maxAttempts": 3, "backoffMs": 1000, "tz": "UTC", "queue": "mail",
        "createdAt": clock.now.isoformat(), "updatedAt": clock.now.isoformat(), "revision": 1,
        "owner": "operator", "declared": False, "edited": (), "problem": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    "payload", [None, {}, [], "text", 0, 1.5, True, {"a": [{"b": None}]}, "\0", "ü\u2028", 2**53]
)
async def test_any_json_is_kept(database: Database, payload: Any) -> None:
    """A payload of a task that nobody knows is any JSON value; None is an empty object, as for `enqueue`."""
    cron_jobs = CronJobs(database)
    made = await cron_jobs.create(replace(NIGHTLY, payload=payload))
    read = await cron_jobs.get(made.id)
    assert read is not None
    assert read.payload == ({} if payload is None else payload)


async def test_what_is_wrong_is_not_stored(cron_jobs: CronJobs) -> None:
    """`InvalidCronJob` with the fields, for a new one and for a change; nothing is stored."""
    with pytest.raises(InvalidCronJob) as caught:
        await cron_jobs.create(replace(NIGHTLY, pattern="61 * * * *", payload={}))
    assert [problem.path for problem in caught.value.problems] == ["pattern", "payload.to"]
    assert (await cron_jobs.list()).cron_jobs == []
    made = await cron_jobs.create(NIGHTLY)
    wrong: list[dict[str, Any]] = [
        {"pattern": "x"},
        {"payload": {}},
        {"tz": "Mars"},
        {"enabled": None},
        {"revisions": 1},
    ]
    for changes in wrong:
        with pytest.raises(InvalidCronJob):
            await cron_jobs.update(made.id, **changes)
    assert await cron_jobs.get(made.id) == made


async def test_a_job_id_is_one_cron_job(cron_jobs: CronJobs) -> None:
    """A second one with the same job id: `CronJobTaken`, for a new one and for a change."""
    await cron_jobs.create(NIGHTLY)
    with pytest.raises(CronJobTaken):
        await cron_jobs.create(replace(NIGHTLY, pattern="@daily"))
    other = await cron_jobs.create(replace(NIGHTLY, job_id="other"))
    with pytest.raises(CronJobTaken):
        await cron_jobs.update(other.id, job_id="nightly")
    assert len((await cron_jobs.list()).cron_jobs) == 2


async def test_a_change_changes_what_it_names(cron_jobs: CronJobs, clock: Clock) -> None:
    """The other fields stay; the revision grows by one, and not at all where nothing is new."""
    made = await cron_jobs.create(NIGHTLY)
    clock.forward(minutes=1)
    changed = await cron_jobs.update(made.id, enabled=False, max_attempts=7)
    assert changed == replace(made, enabled=False, max_attempts=7, revision=2, updated_at=clock.now)
    assert await cron_jobs.update(made.id, enabled=False) == changed == await cron_jobs.get(made.id)


async def test_changes_do_not_overwrite_each_other(cron_jobs: CronJobs) -> None:
    """Of two who have read the same revision one changes it; the other is told, and so is who deletes."""
    made = await cron_jobs.create(NIGHTLY)
    both = (cron_jobs.update(made.id, revision=1, tz=zone) for zone in ("Europe/Berlin", "Asia/Kolkata"))
    results = await asyncio.gather(*both, return_exceptions=True)
    (lost,) = (result for result in results if isinstance(result, CronJobChanged))
    assert (lost.revision, lost.found) == (1, 2)
    with pytest.raises(CronJobChanged):
        await cron_jobs.delete(made.id, revision=1)
    await cron_jobs.delete(made.id, revision=2)


async def test_what_is_deleted_is_gone(cron_jobs: CronJobs) -> None:
    """None for who reads it, `CronJobGone` for who changes or deletes it; its job id is free."""
    made = await cron_jobs.create(NIGHTLY)
    await cron_jobs.delete(made.id)
    assert await cron_jobs.get(made.id) is None
    assert await cron_jobs.find("nightly") is None
    for gone in (made.id, "no id", "\0", "\ud800", "x" * 5000):
        assert await cron_jobs.get(gone) is None
        for verb in (cron_jobs.delete(gone), cron_jobs.update(gone, enabled=True), cron_jobs.give_back(gone)):
            with pytest.raises(CronJobGone):
                await verb
    assert (await cron_jobs.create(NIGHTLY)).id != made.id


async def test_pages_have_every_cron_job_once(cron_jobs: CronJobs) -> None:
    """In the order of their job ids; `after` leads from page to page, to the end."""
    for number in (3, 1, 4, 0, 2):
        await cron_jobs.create(replace(NIGHTLY, job_id=f"job-{number}"))
    found: list[str] = []
    after = None
    while True:
        page = await cron_jobs.list(after=after, limit=2)
        assert len(page.cron_jobs) <= 2
        found += [cron_job.job_id for cron_job in page.cron_jobs]
        if (after := page.after) is None:
            break
    assert found == [f"job-{number}" for number in range(5)]
    assert (await cron_jobs.list(after="\0")).cron_jobs == []
    with pytest.raises(InvalidOption):
        await cron_jobs.list(limit=-1)


async def test_a_spoilt_row_is_listed_with_its_problem(cron_jobs: CronJobs, database: Database) -> None:
    """Somebody wrote nonsense into a row: it is listed, and says what is wrong; it can be mended by a change."""
    made = await cron_jobs.create(NIGHTLY)
    await cron_jobs.create(replace(NIGHTLY, job_id="sound"))
    async with database.writing() as session:
        await session.execute(
            text("UPDATE corral_cron_jobs SET pattern = 'whenever' WHERE job_id = 'nightly'")
        )
    spoilt, sound = (await cron_jobs.list()).cron_jobs
    assert spoilt.problem is not None
    assert spoilt.problem.startswith("pattern: ")
    assert sound.problem is None
    assert (await cron_jobs.update(made.id, pattern="@daily")).problem is None
