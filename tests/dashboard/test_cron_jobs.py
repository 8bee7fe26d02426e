"""Cron jobs of a database on the pages, and the operator log of what was done there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from starlette.applications import Starlette

from corral import Admin, Client
from corral.contracts.states import JobState
from corral.dashboard.app import create_dashboard
from corral.store.cron_job import CronJob
from corral.store.cron_jobs import CronJobs
from corral.store.database import Database
from corral.store.roles import Role
from tests.dashboard.conftest import Visitor, by_role
from tests.dashboard.tasks import letters

NEW = {
    "job_id": "daily/1", "name": "Daily <b>letter</b>", "queue": "", "handler": "send", "pattern": "0 9 * * 1-5",
    "tz": "Europe/Berlin", "payload": '{"to": "Ada"}', "max_attempts": "4", "backoff_ms": "500",
}  # fmt: skip


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """An empty SQLite database."""
    async with Database(f"sqlite:///{tmp_path / 'corral.db'}") as database:
        await database.migrate()
        yield database


@pytest.fixture
async def dashboard(
    admin: Admin, client: Client, queue_name: str, database: Database
) -> AsyncIterator[Starlette]:
    """The pages with a database."""
    made = create_dashboard(
        admin,
        client=client,
        authenticate=by_role,
        tasks=[letters(queue_name)],
        database=database,
        environment={},
    )
    yield made
    await made.state.desk.close()


@pytest.fixture
def cron_jobs(database: Database) -> CronJobs:
    """The table."""
    return CronJobs(database)


async def _made(browser: httpx.AsyncClient, cron_jobs: CronJobs) -> str:
    """Make one by the form; the path of its page."""
    done = await browser.post("/new-cron-job", data=NEW)
    assert done.status_code == 303, done.text
    (one,) = (await cron_jobs.list()).cron_jobs
    return f"/cron-jobs/{one.id}"


async def test_one_is_made_and_edited(
    browser: httpx.AsyncClient, cron_jobs: CronJobs, queue_name: str
) -> None:
    """By a form, in which each field that is wrong says so, and nothing is stored meanwhile."""
    wrong = NEW | {"pattern": "every day", "tz": "Mars", "max_attempts": "4"}
    answer = await browser.post("/new-cron-job", data=wrong)
    assert answer.status_code == 422
    assert answer.text.count('class="bad"') == 2
    assert (
        await browser.post("/new-cron-job", data=NEW | {"payload": "{", "backoff_ms": "x"})
    ).status_code == 422
    assert (await cron_jobs.list()).cron_jobs == []
    path = await _made(browser, cron_jobs)
    page = (await browser.get(path)).text
    assert "At 09:00, Monday to Friday" in page
    assert "<b>letter</b>" not in page
    revision = {"revision": "1", "queue": queue_name}
    assert (
        await browser.post(f"{path}/edit", data=NEW | revision | {"pattern": "30 9 * * *"})
    ).status_code == 303
    (one,) = (await cron_jobs.list()).cron_jobs
    assert (one.pattern, one.payload["to"], one.queue, one.revision) == ("30 9 * * *", "Ada", queue_name, 2)
    stale = await browser.post(f"{path}/edit", data=NEW | revision | {"pattern": "45 9 * * *"})
    assert stale.status_code == 409
    assert "Nothing was stored" in stale.text


async def test_pause_run_and_delete(
    browser: httpx.AsyncClient, cron_jobs: CronJobs, client: Client, queue_name: str
) -> None:
    """It is paused and resumed; run now adds a job at once; deleted it is gone, after a question."""
    path = await _made(browser, cron_jobs)
    await browser.post(f"{path}/pause")
    assert ">paused</span>" in (await browser.get(path)).text
    assert ">paused</span>" in (await browser.get("/schedules")).text
    done = await browser.post(f"{path}/run")
    assert done.status_code == 303
    (job,) = await client.queue(queue_name).jobs(JobState.WAITING)
    assert (job.name, job.data["to"], job.opts.attempts) == ("send", "Ada", 4)
    assert quote(job.id, safe="") in (await browser.get(path)).text
    await browser.post(f"{path}/resume")
    assert ">paused</span>" not in (await browser.get(path)).text
    assert "Delete cron job" in (await browser.post(f"{path}/remove")).text
    await browser.post(f"{path}/remove", data={"confirmed": "yes"})
    assert (await browser.get(path)).status_code == 404


async def test_a_deploy_and_an_operator(
    browser: httpx.AsyncClient, cron_jobs: CronJobs, queue_name: str
) -> None:
    """What the program declares says so; an edited field is named, and can be given back."""
    await cron_jobs.declare(
        CronJob(job_id="x", pattern="0 1 * * *", handler="send", queue=queue_name, payload={"to": "A"})
    )
    (one,) = (await cron_jobs.list()).cron_jobs
    path = f"/cron-jobs/{one.id}"
    assert "the program" in (await browser.get(path)).text
    sent = NEW | {"job_id": "x", "queue": queue_name, "pattern": "0 2 * * *", "payload": '{"to": "A"}'}
    await browser.post(f"{path}/edit", data=sent)
    assert "pattern, " in (await browser.get(path)).text
    await browser.post(f"{path}/give-back")
    kept = await cron_jobs.get(one.id)
    assert kept is not None
    assert (kept.pattern, kept.edited) == ("0 1 * * *", ())


async def test_others_only_look(visitor: Visitor, browser: httpx.AsyncClient, cron_jobs: CronJobs) -> None:
    """An operator sees the form without a way to send it."""
    path = await _made(browser, cron_jobs)
    async with visitor(Role.OPERATOR) as other:
        page = (await other.get(path)).text
        assert "disabled" in page
        assert "Save" not in page
        for change in ("edit", "pause", "run", "remove", "give-back"):
            assert (await other.post(f"{path}/{change}", data=NEW)).status_code == 403


async def test_the_log(browser: httpx.AsyncClient, cron_jobs: CronJobs, visitor: Visitor) -> None:
    """Each change is a line with who, what, to what and how it ended, refusals too; it can be searched."""
    await _made(browser, cron_jobs)
    async with visitor(Role.VIEWER) as viewer:
        await viewer.post("/new-cron-job", data=NEW)
        page = (await viewer.get("/log")).text
    assert "the admin" in page
    assert "cronJob.create" in page
    assert "daily/1" in page
    assert "daily/1" not in (await browser.get("/log?actor=somebody")).text.split("</form>")[1]
    for query in (
        "before=0",
        "before=-1",
        "before=999999999999999999",
        "action=%00",
        "target=%25",
        "actor=" + "x" * 5000,
    ):
        assert (await browser.get(f"/log?{query}")).status_code == 200


async def test_without_a_database(admin: Admin, client: Client, visitor: Visitor) -> None:
    """The log's page says where changes are written instead, and there are no cron jobs."""
    bare = create_dashboard(admin, client=client, authenticate=by_role, environment={})
    visit: AbstractAsyncContextManager[httpx.AsyncClient] = visitor(app=bare)
    async with visit as browser:
        assert "There is no database" in (await browser.get("/log")).text
        assert (await browser.get("/new-cron-job")).status_code == 404
        assert (await browser.get("/schedules")).status_code == 200
