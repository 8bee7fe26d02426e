"""Adding a job by a form, and editing a payload in one."""

from __future__ import annotations

import httpx
import pytest

from corral.client.queue import QueueClient
from corral.contracts.states import JobState
from corral.store.roles import Role
from tests.dashboard.conftest import Visitor, seen

LETTER = {
    "task": "send",
    "?": "yes",
    "=/to": "Ada\r\nLovelace",
    "=/copies": "9007199254740993",
    "#/addresses": "0",
}


async def test_the_form_has_the_fields_of_the_task(browser: httpx.AsyncClient, queue_name: str) -> None:
    """Each field of the payload's type is asked for, with its default; the other tasks are a choice away."""
    page = (await browser.get(f"/queues/{queue_name}/add?task=send")).text
    assert 'name="=/to"' in page
    assert 'name="=/copies" value="1"' in page
    assert "<option>ping</option>" in page
    as_json = (await browser.get(f"/queues/{queue_name}/add?task=send&as=json")).text
    assert "&#34;copies&#34;: 1" in as_json


async def test_a_job_is_added(browser: httpx.AsyncClient, produced: QueueClient) -> None:
    """What was given is the job's payload, integers in full, and its options hold."""
    options = {"delay": "1.5", "priority": "7", "attempts": "2", "job_id": "a/letter"}
    done = await browser.post(f"/queues/{produced.name}/add", data=LETTER | options)
    assert (done.status_code, done.headers["location"].split("?")[1]) == (303, "outcome=added")
    job = await produced.get("a/letter")
    assert job is not None
    assert job.data == {"to": "Ada\nLovelace", "copies": 2**53 + 1, "addresses": []}
    assert (job.name, job.delay, job.priority, job.opts.attempts) == ("send", 1500, 7, 2)
    again = await browser.post(f"/queues/{produced.name}/add", data=LETTER | options)
    assert again.headers["location"].endswith("outcome=existed")


async def test_rows_of_a_list(browser: httpx.AsyncClient, produced: QueueClient) -> None:
    """A list grows and shrinks by a button, and nothing that was written is lost on the way."""
    path = f"/queues/{produced.name}/add"
    page = await browser.post(path, data=LETTER | {"rows": "+/addresses"})
    assert page.status_code == 200
    assert 'name="=/addresses/0/street"' in page.text
    assert "Ada\nLovelace" in page.text.replace("\r\n", "\n")
    page = await browser.post(path, data=LETTER | {"#/addresses": "1", "rows": "-/addresses"})
    assert 'name="=/addresses/0/street"' not in page.text
    assert sum((await produced.counts()).values()) == 0


async def test_errors_stand_beside_their_fields(browser: httpx.AsyncClient, produced: QueueClient) -> None:
    """What is not valid is said at the field, what was written stays, and nothing is added."""
    wrong = LETTER | {"#/addresses": "1", "?/addresses/0": "yes", "=/addresses/0/number": "0"}
    page = await browser.post(f"/queues/{produced.name}/add", data=wrong)
    assert page.status_code == 422
    assert 'id="problem/addresses/0/number">Input should be greater than or equal to 1' in page.text
    assert 'name="=/copies" value="9007199254740993"' in page.text
    for data in (
        {**LETTER, "=/copies": "many"},
        {**LETTER, "delay": "-1"},
        {**LETTER, "attempts": "0"},
        {**LETTER, "job_id": "17"},
        {"task": "send", "json": "{"},
        {"task": "none", "json": "{}"},
    ):
        answer = await browser.post(f"/queues/{produced.name}/add", data=data)
        assert (data, answer.status_code) == (data, 422)
        assert "Nothing was added" in answer.text
    assert sum((await produced.counts()).values()) == 0


async def test_a_queue_that_nobody_knows_tasks_of(browser: httpx.AsyncClient, produced: QueueClient) -> None:
    """There the task's name and JSON are asked for."""
    await produced.enqueue("ping")
    other = f"{produced.name}-other"
    page = await browser.get(f"/queues/{other}/add")
    assert 'name="json"' in page.text
    done = await browser.post(f"/queues/{other}/add", data={"task": "any", "json": "[1, 2]"})
    assert done.status_code == 303
    await browser.post(f"/queues/{other}/obliterate", data={"confirmed": "yes"})


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
async def test_admins_add(visitor: Visitor, produced: QueueClient, role: Role) -> None:
    """Who is no admin gets neither the form nor its way in."""
    await produced.enqueue("ping")
    async with visitor(role) as browser:
        assert "Add a job" not in (await browser.get(f"/queues/{produced.name}")).text
        assert (await browser.get(f"/queues/{produced.name}/add")).status_code == 403
        assert (await browser.post(f"/queues/{produced.name}/add", data=LETTER)).status_code == 403


async def test_a_payload_is_edited_in_the_same_form(
    browser: httpx.AsyncClient, produced: QueueClient
) -> None:
    """It shows what the job has; what is not valid changes nothing; what is, is stored."""
    job = await produced.enqueue("send", {"to": "Ada", "copies": 2, "addresses": []})
    path = f"/queues/{produced.name}/jobs/{job.id}/edit"
    assert 'name="=/copies" value="2"' in (await browser.get(path)).text
    form = LETTER | await seen(browser, path)
    wrong = await browser.post(path, data=form | {"=/copies": "1.5"})
    assert wrong.status_code == 422
    assert (await browser.post(path, data=form)).status_code == 303
    kept = await produced.get(job.id)
    assert kept is not None
    assert kept.data["copies"] == 2**53 + 1


async def test_a_payload_that_has_changed_is_not_overwritten(
    browser: httpx.AsyncClient, produced: QueueClient
) -> None:
    """Who edits what somebody else has changed meanwhile is told, keeps what they wrote, and may then save it."""
    job = await produced.enqueue("other", {"to": "Ada"})
    path = f"/queues/{produced.name}/jobs/{job.id}/edit"
    mine, theirs = [{"json": f'{{"to": "{name}"}}'} | await seen(browser, path) for name in ("Grace", "Joan")]
    assert (await browser.post(path, data=theirs)).status_code == 303
    told = await browser.post(path, data=mine)
    assert (told.status_code, "changed it meanwhile" in told.text, "Grace" in told.text) == (409, True, True)
    assert (await browser.post(path, data={"json": "{}"})).status_code == 409
    kept = await produced.get(job.id)
    assert kept is not None
    assert kept.data == {"to": "Joan"}
    assert (await browser.post(path, data=mine | await seen(browser, path))).status_code == 303


async def test_a_failed_job_is_edited_and_replayed(browser: httpx.AsyncClient, produced: QueueClient) -> None:
    """It runs again with the new payload; one that is not valid leaves it failed."""
    job = await produced.enqueue("send", {"to": "Ada"}, job_id="once")
    await browser.post(f"/queues/{produced.name}/jobs/{job.id}/cancel", data={"reason": "not yet"})
    path = f"/queues/{produced.name}/jobs/{job.id}"
    page = (await browser.get(path)).text
    assert "cancelled: not yet" in page
    assert "Edit and replay" in page
    form = await seen(browser, f"{path}/edit")
    assert (await browser.post(f"{path}/replay", data=form | {"json": '{"copies": 1}'})).status_code == 422
    assert (await produced.counts())[JobState.FAILED] == 1
    done = await browser.post(f"{path}/replay", data=form | {"json": '{"to": "Grace"}'})
    assert done.headers["location"].endswith("outcome=replayed")
    kept = await produced.get(job.id)
    assert kept is not None
    assert (kept.state, kept.data["to"]) == (JobState.WAITING, "Grace")
