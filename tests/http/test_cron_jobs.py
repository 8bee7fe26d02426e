"""Cron jobs over HTTP: the fields that were asked for, checked as a whole, and changed by revision."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import structlog

from corral import Admin, Client, Cron
from corral.store.cron_job import CronJob
from corral.store.database import Database
from corral.store.schedules import DatabaseSchedules
from tests.http.tasks import ALL_TASKS
from tests.servers import free_port

PATH = "/api/admin/cronJob"
REPORT = {
    "jobId": "nightly",
    "name": "Nightly report",
    "pattern": "0 3 * * *",
    "handler": "email.sendInvite",
    "payload": {"to": "ann", "number": 2**53 + 1},
    "enabled": True,
    "maxAttempts": 4,
    "backoffMs": 2000,
}


async def test_a_cron_job_lives(http: httpx.AsyncClient) -> None:
    """Created with 201, read, listed, changed and deleted, with the fields under the names that were asked for."""
    made = await http.post(PATH, json=REPORT)
    assert made.status_code == 201
    told = made.json()
    assert {name: told[name] for name in REPORT} == REPORT
    assert (told["queue"], told["tz"], told["owner"], told["revision"]) == (
        "http-email",
        "UTC",
        "operator",
        1,
    )
    path = f"{PATH}/{told['id']}"
    assert (await http.get(path)).json() == told
    assert (await http.get(PATH)).json() == {"items": [told], "next": None}
    changed = (await http.patch(path, json={"pattern": "0 4 * * *", "enabled": False, "revision": 1})).json()
    assert (changed["pattern"], changed["enabled"], changed["revision"]) == ("0 4 * * *", False, 2)
    assert (await http.patch(path, json={"enabled": True, "revision": 1})).status_code == 409
    assert (await http.delete(path)).status_code == 204
    for method in ("GET", "PATCH", "DELETE"):
        answer = await http.request(method, path, json={} if method == "PATCH" else None)
        assert answer.status_code == 404


async def test_the_list_goes_on_by_its_cursor(http: httpx.AsyncClient) -> None:
    """By job ids; the last page has no cursor."""
    for number in range(3):
        await http.post(PATH, json={**REPORT, "jobId": f"job-{number}"})
    page = (await http.get(PATH, params={"limit": 2})).json()
    rest = (await http.get(PATH, params={"limit": 2, "cursor": page["next"]})).json()
    assert [one["jobId"] for one in page["items"] + rest["items"]] == ["job-0", "job-1", "job-2"]
    assert rest["next"] is None


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"pattern": "61 * * * *"}, "pattern"),
        ({"tz": "Mars"}, "tz"),
        ({"handler": "none"}, "handler"),
        ({"payload": {"number": 1}}, "payload.to"),
        ({"maxAttempts": 0}, "maxAttempts"),
        ({"backoffMs": -1}, "backoffMs"),
        ({"enabled": "yes"}, "enabled"),
        ({"jobId": "x\x00"}, "jobId"),
        ({"unknown": 1}, "unknown"),
    ],
)
async def test_what_cannot_be_is_not_stored(http: httpx.AsyncClient, change: Any, path: str) -> None:
    """422 with the field, when it is made and when it is changed; the same job id twice is 409."""
    assert (await http.post(PATH, json={**REPORT, **change})).json()["errors"][0]["path"] == path
    assert (await http.get(PATH)).json()["items"] == []
    made = (await http.post(PATH, json=REPORT)).json()
    answer = await http.patch(f"{PATH}/{made['id']}", json=change)
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, path)
    assert (await http.get(f"{PATH}/{made['id']}")).json() == made
    assert (await http.post(PATH, json=REPORT)).status_code == 409


async def test_a_cron_job_is_triggered(http: httpx.AsyncClient) -> None:
    """201 with the job, which is of the kind `cronTrigger` and stands in the history; also while it is disabled."""
    made = (await http.post(PATH, json={**REPORT, "enabled": False})).json()
    answer = await http.post(f"{PATH}/{made['id']}/trigger")
    told = answer.json()
    assert (answer.status_code, told["kind"], told["data"]) == (201, "cronTrigger", REPORT["payload"])
    assert (told["queue"], told["name"], told["opts"]["attempts"]) == ("http-email", "email.sendInvite", 4)
    history = (await http.get(f"{PATH}/{made['id']}/history")).json()
    assert [job["id"] for job in history["jobs"]] == [told["id"]]
    assert (await http.post(f"{PATH}/none/trigger")).status_code == 404
    log = (await http.get("/api/v1/operator-log", params={"action": "cronJob.trigger"})).json()["items"]
    assert log[0]["detail"]["job"] == told["id"]


async def test_a_change_holds_at_once(http: httpx.AsyncClient, admin: Admin) -> None:
    """Where the task is known its schedule is made, changed and removed with the request: no worker has to look."""
    schedules = admin.queue("http-email").schedules

    async def pattern() -> str | None:
        found = await schedules.get("nightly")
        return found.rule.pattern if found is not None and isinstance(found.rule, Cron) else None

    path = f"{PATH}/{(await http.post(PATH, json=REPORT)).json()['id']}"
    assert await pattern() == "0 3 * * *"
    await http.patch(path, json={"pattern": "0 4 * * *"})
    assert await pattern() == "0 4 * * *"
    await http.patch(path, json={"enabled": False})
    assert await pattern() is None
    await http.patch(path, json={"enabled": True, "jobId": "renamed"})
    assert [one.id for one in await schedules.list()] == ["renamed"]
    await http.delete(path)
    assert await schedules.list() == []


async def test_other_programs_know_better(
    http: httpx.AsyncClient, admin: Admin, client: Client, database: Database
) -> None:
    """Without its task nothing is made of a cron job, and nothing of those that were not changed; what it asks for no
    longer goes all the same."""
    made = await http.post(PATH, json=REPORT)
    elsewhere = {**REPORT, "jobId": "elsewhere", "queue": "theirs", "handler": "x"}
    assert (await http.post(PATH, json=elsewhere)).status_code == 201
    assert await admin.queue("theirs").schedules.list() == []
    await admin.queue("http-email").schedules.remove("nightly")
    await http.post(PATH, json={**REPORT, "jobId": "second"})
    assert [one.id for one in await admin.queue("http-email").schedules.list()] == ["second"]
    knows_nothing = DatabaseSchedules(database, client=client)
    second = await knows_nothing.cron_jobs.find("second")
    assert second is not None
    await knows_nothing.cron_jobs.update(second.id, job_id="third")
    await knows_nothing.take_up(second.id)
    assert await admin.queue("http-email").schedules.list() == []
    assert made.status_code == 201


async def test_a_change_is_stored_while_redis_is_away(database: Database) -> None:
    """It is logged, and left for the workers."""
    async with Client(f"redis://127.0.0.1:{free_port()}", timeout=0.2) as away:
        schedules = DatabaseSchedules(database, *ALL_TASKS, client=away)
        made = await schedules.cron_jobs.create(CronJob.from_json(REPORT))
        with structlog.testing.capture_logs() as logs:
            await schedules.take_up(made.id)
    assert [line["event"] for line in logs] == ["A cron job is left for workers to register"]
