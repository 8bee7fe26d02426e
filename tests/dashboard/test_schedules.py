"""Schedules: in plain words, with their runs, and in a form."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import quote

import httpx
import pytest

from corral import Admin, Client, Cron, Every, Queue, Unrecoverable, Worker
from corral.client.queue import QueueClient
from corral.contracts.states import JobState
from corral.store.roles import Role
from tests.dashboard.conftest import Visitor

NEW = {
    "id": "daily/1",
    "name": "send",
    "pattern": "0 9 * * 1-5",
    "tz": "Europe/Berlin",
    "payload": '{"to": "Ada"}',
}


@pytest.fixture
async def scheduled(produced: QueueClient) -> QueueClient:
    """The queue with two schedules."""
    await produced.enqueue(
        "ping", {"n": 1}, job_id="a/b", repeat=Cron("0 9 * * 1-5", tz="Europe/Berlin"), attempts=7
    )
    await produced.enqueue("<b>ping</b>", job_id="each-hour", repeat=Every(hours=1, offset=0))
    return produced


@pytest.mark.parametrize("path", ["/schedules", "/queues/{queue}/schedules"])
async def test_they_are_listed_in_words(
    browser: httpx.AsyncClient, scheduled: QueueClient, path: str
) -> None:
    """Each with its rule as people say it and its zone; names are text."""
    page = (await browser.get(path.format(queue=scheduled.name))).text
    assert "at 09:00, Monday to Friday" in page
    assert "Europe/Berlin" in page
    assert "every hour, counted from midnight UTC" in page
    assert "&lt;b&gt;ping&lt;/b&gt;" in page


async def test_one_schedule(browser: httpx.AsyncClient, scheduled: QueueClient) -> None:
    """Its page has the next ten runs by its clock, payload and options; one that is not there is 404."""
    path = f"/queues/{scheduled.name}/schedules"
    page = (await browser.get(f"{path}/a%2Fb")).text
    assert page.count("09:00 <small") == 10
    assert "&#34;attempts&#34;: 7" in page
    assert (await browser.get(f"{path}/none")).status_code == 404


async def test_its_runs_are_found(
    browser: httpx.AsyncClient, scheduled: QueueClient, admin: Admin, client: Client
) -> None:
    """At first it has none; a run that failed stands in the history, with its reason; jobs of no schedule do not."""
    path = f"/queues/{scheduled.name}/schedules/a%2Fb"
    assert "It has not run yet" in (await browser.get(path)).text
    schedule = await admin.queue(scheduled.name).schedules.get("a/b")
    assert schedule is not None
    assert schedule.next_job_id is not None
    queue = Queue(scheduled.name)

    @queue.task(name="ping")
    async def ping(payload: dict[str, int]) -> None:
        raise Unrecoverable(f"no answer to {payload['n']}")

    async with Worker(queue, client=client):
        await scheduled.enqueue("ping", {"n": 2}, job_id="of-no-schedule", attempts=1)
        await admin.queue(scheduled.name).jobs.promote(schedule.next_job_id)
        async with asyncio.timeout(30):
            while (await scheduled.counts())[JobState.FAILED] < 2:
                pass
    page = (await browser.get(path)).text
    assert "It has not run yet" not in page
    assert "no answer to 1" in page
    assert f'jobs/{quote(schedule.next_job_id, safe="")}"' in page
    assert "of-no-schedule" not in page
    assert "no answer to 2" not in page


async def test_run_now(browser: httpx.AsyncClient, scheduled: QueueClient) -> None:
    """A job with the schedule's payload and options is ready at once; the schedule goes on."""
    done = await browser.post(f"/queues/{scheduled.name}/schedules/a%2Fb/run")
    assert done.status_code == 303
    (job,) = await scheduled.jobs(JobState.WAITING)
    assert (job.name, job.data, job.opts.attempts) == ("ping", {"n": 1}, 7)
    assert (await scheduled.counts())[JobState.DELAYED] == 2


async def test_a_schedule_is_made(browser: httpx.AsyncClient, produced: QueueClient, admin: Admin) -> None:
    """The next runs are shown on request; it is stored only when that is asked for, and validated."""
    await produced.enqueue("ping")
    path = f"/queues/{produced.name}/new-schedule"
    assert "Make it" in (await browser.get(path)).text
    shown = await browser.post(path, data={**NEW, "preview": "yes"})
    assert "At 09:00, Monday to Friday" in shown.text
    schedules = admin.queue(produced.name).schedules
    assert await schedules.count() == 0
    for wrong in (
        {"pattern": "every day"},
        {"tz": "Mars"},
        {"every": "60"},
        {"pattern": ""},
        {"payload": "{"},
        {"payload": '{"to": 1}'},
        {"name": "none"},
        {"attempts": "x"},
        {"id": ""},
        {"pattern": "", "every": "nan"},
        {"pattern": "", "every": "60", "offset": "inf"},
    ):
        answer = await browser.post(path, data=NEW | wrong)
        assert (wrong, answer.status_code) == (wrong, 422)
        assert "Nothing was stored" in answer.text
    assert await schedules.count() == 0
    assert (await browser.post(path, data=NEW)).status_code == 303
    made = await schedules.get("daily/1")
    assert made is not None
    assert made.rule == Cron("0 9 * * 1-5", tz="Europe/Berlin")
    assert made.data["to"] == "Ada"


async def test_an_edit_keeps_the_rest(
    browser: httpx.AsyncClient, client: Client, queue_name: str, admin: Admin
) -> None:
    """What no field asks for stays: the end of the rule, how long runs may take, which of them are kept."""
    await client.queue(queue_name).enqueue(
        "ping",
        job_id="x",
        repeat=Cron("0 9 * * *", limit=50, overlap="skip"),
        timeout=30,
        remove_on_fail=5,
        backoff=2,
    )
    path = f"/queues/{queue_name}/schedules/x/edit"
    assert 'value="0 9 * * *"' in (await browser.get(path)).text
    sent = {"name": "ping", "pattern": "30 9 * * *", "tz": "UTC", "payload": "{}", "attempts": "4"}
    assert (await browser.post(path, data=sent)).status_code == 303
    kept = await admin.queue(queue_name).schedules.get("x")
    assert kept is not None
    assert kept.rule == Cron("30 9 * * *", limit=50, overlap="skip")
    raw = json.loads(json.dumps(dict(kept.opts.raw)))
    assert (raw["timeout"], raw["removeOnFail"], raw["attempts"]) == (30_000, 5, 4)
    assert raw["backoff"] == {"type": "fixed", "delay": 2000}


async def test_a_schedule_is_removed(
    browser: httpx.AsyncClient, scheduled: QueueClient, admin: Admin
) -> None:
    """After a question, with its next job."""
    path = f"/queues/{scheduled.name}/schedules/a%2Fb/remove"
    assert "<b>1</b> job" in (await browser.post(path)).text
    await browser.post(path, data={"confirmed": "yes"})
    assert await admin.queue(scheduled.name).schedules.count() == 1


async def test_operators_run_and_only_admins_change(visitor: Visitor, scheduled: QueueClient) -> None:
    """What work there is, is for admins to say."""
    path = f"/queues/{scheduled.name}"
    async with visitor(Role.OPERATOR) as browser:
        assert "Edit" not in (await browser.get(f"{path}/schedules/a%2Fb")).text
        for change in (
            "schedules/a%2Fb/run",
            "schedules/a%2Fb/remove",
            "schedules/a%2Fb/edit",
            "new-schedule",
        ):
            assert (await browser.post(f"{path}/{change}")).status_code == 403
        assert (await browser.get(f"{path}/new-schedule")).status_code == 403
