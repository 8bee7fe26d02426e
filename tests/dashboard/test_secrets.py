"""No secret leaves by any page or answer: one is put wherever data can be, and everything is looked at."""

from __future__ import annotations

import itertools
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.routing import Route

from corral import Admin, Client, Context, Event, Every, Job, Queue, Secret, Worker
from corral.dashboard.app import create_dashboard
from corral.http.app import create_api
from corral.http.redactor import Redactor
from corral.store.cron_job import CronJob, StoredCronJob
from corral.store.cron_jobs import CronJobs
from corral.store.database import Database
from corral.store.roles import Role
from tests.dashboard.conftest import OUR_PAGE, by_role

LOOK = "ghp_ZqwVbTnLxRkMsYdCfHjPgEaUoWiKcBv"
"""Known by its look. Without digits, so that the message of a cause would keep it."""
TYPED = "hush-7f3a-hush"
"""Known by the type alone."""
SECRET = {"user": "ann", "word": TYPED, "note": f"Bearer {LOOK}"}
ENDLESS = ("/events", "/assets/{version}/{name}")


class Login(BaseModel):
    """Has a secret of each sort."""

    user: str
    word: Annotated[str, Secret()]
    note: str = ""


@dataclass(frozen=True)
class Scene:
    """Both applications over one queue, and the names of what is in it."""

    api: FastAPI
    pages: Starlette
    names: dict[str, list[str]]
    cron_job: StoredCronJob
    cron_jobs: CronJobs
    events: list[Event]

    def paths(self) -> Iterator[tuple[Starlette, str]]:
        """Every path that can be got, with each of the names for what it asks for."""
        for context in iter_route_contexts(self.api.router.routes):
            if "GET" in (context.methods or {"GET"}):
                yield from ((self.api, filled) for filled in self._filled(context.path or ""))
        for route in self.pages.routes:
            if isinstance(route, Route) and "GET" in (route.methods or ()):
                yield from ((self.pages, filled) for filled in self._filled(route.path))

    def _filled(self, path: str) -> Iterator[str]:
        if path.endswith(ENDLESS):
            return
        parameters = re.findall(r"\{(\w+)\}", path)
        for values in itertools.product(*(self.names[name] for name in parameters)):
            given = dict(zip(parameters, values, strict=True))
            filled = path.format(**given)
            yield filled + ("?state=failed" if path.endswith("/jobs") else "")


def login_queue(name: str) -> Queue:
    """A queue whose task tells what it should not, in every way that there is."""
    queue = Queue(name)

    @queue.task(name="login", attempts=1)
    async def login(given: Login, ctx: Context) -> Login:
        await ctx.log(f"token {LOOK}")
        await ctx.progress({"password": TYPED, "at": LOOK})
        if given.user == "bad":
            raise RuntimeError(f"refused with {LOOK}")
        return given

    return queue


async def ended(client: Client, queue: Queue, payloads: list[object]) -> list[Job]:
    """Jobs of these payloads, once they have run."""
    async with Worker(queue, client=client):
        handles = [await client.queue(queue.queue).enqueue("login", payload) for payload in payloads]
        return [await handle.wait(timeout=20) for handle in handles]


@pytest.fixture
async def scene(admin: Admin, client: Client, queue_name: str, tmp_path: Path) -> AsyncIterator[Scene]:
    """Jobs that completed, failed, and did not validate; one that waits; a schedule, a cron job, an event."""
    queue = login_queue(queue_name)
    producer = client.queue(queue_name)
    jobs = await ended(client, queue, [SECRET, SECRET | {"user": "bad"}, {"user": 1, "word": {"is": TYPED}}])
    waiting = await producer.enqueue("login", SECRET, delay=3600)
    await admin.queue(queue_name).schedules.upsert("s", Every(hours=1), "login", SECRET)
    last = await producer.publish(
        "mine", {"password": TYPED, "data": f'{{"token": "{TYPED}"}}', "text": LOOK}
    )
    groups = await admin.queue(queue_name).failures.groups()
    async with Database(f"sqlite:///{tmp_path / 'corral.db'}") as database:
        await database.migrate()
        shared = {"tasks": [queue], "client": client, "authenticate": by_role, "database": database}
        api = create_api(admin, **shared)  # type: ignore[arg-type]
        pages = create_dashboard(admin, environment={}, **shared)  # type: ignore[arg-type]
        cron_jobs = api.state.desk.schedules.cron_jobs
        wanted = CronJob(job_id="c", pattern="0 0 * * *", handler="login", queue=queue_name, payload=SECRET)
        cron_job = await cron_jobs.create(wanted)
        ids = [*(job.id for job in jobs), waiting.id]
        names = {
            "queue": [queue_name], "job": ids, "job_id": ids, "part": ["data", "returnvalue"], "state": ["failed"],
            "schedule": ["s"], "schedule_id": ["s"], "cron_job": [cron_job.id], "cron_job_id": [cron_job.id],
            "fingerprint": [group.fingerprint for group in groups.groups],
        }  # fmt: skip
        yield Scene(api, pages, names, cron_job, cron_jobs, await read(client, queue_name, last))
        await api.state.desk.close()
        await pages.state.desk.close()


async def read(client: Client, queue: str, last: str) -> list[Event]:
    """All events up to the last."""
    found: list[Event] = []
    async with client.queue(queue).events(after="0-0") as events:
        async for event in events:
            found.append(event)
            if event.id == last:
                return found
    raise AssertionError("the stream ended early")


async def answers(scene: Scene, role: Role) -> AsyncIterator[tuple[str, httpx.Response]]:
    """What somebody is told wherever they ask."""
    for app, path in scene.paths():
        transport = httpx.ASGITransport(app)
        headers = {**OUR_PAGE, "x-role": role.value}
        async with httpx.AsyncClient(transport=transport, base_url="http://corral", headers=headers) as http:
            yield path, await http.get(path)


def leaks(text: str) -> bool:
    """Whether one of the secrets stands in it."""
    return TYPED in text or LOOK in text


@pytest.mark.parametrize("role", Role)
async def test_no_answer_has_a_secret(scene: Scene, role: Role) -> None:
    """Every page and every answer of the API, for every role, of jobs in every state that has something to tell."""
    told = {path: answer async for path, answer in answers(scene, role)}
    assert len(told) > 60
    assert [path for path, answer in told.items() if leaks(answer.text)] == []
    seen = [path for path, answer in told.items() if answer.status_code == 200]
    assert len(seen) > (55 if role is Role.ADMIN else 30)
    assert not [path for path, answer in told.items() if answer.status_code >= 500]


async def test_no_event_has_a_secret(scene: Scene) -> None:
    """Events of jobs and of a program's own, as they are streamed."""
    shown = [scene.api.state.desk.show_event(event).model_dump_json() for event in scene.events]
    assert any(leaks(str(event.fields)) for event in scene.events)
    assert not [text for text in shown if leaks(text)]
    assert any('"text":"•••"' in text for text in shown)


@pytest.mark.parametrize("text", [TYPED, TYPED[:5], LOOK, LOOK[:8]])
async def test_no_search_finds_a_secret(scene: Scene, text: str) -> None:
    """A search looks at what is shown: a secret is not found letter by letter."""
    queue = scene.names["queue"][0]
    transport = httpx.ASGITransport(scene.pages)
    headers = {**OUR_PAGE, "x-role": "viewer"}
    async with httpx.AsyncClient(transport=transport, base_url="http://corral", headers=headers) as http:
        for state in ("completed", "failed", "delayed"):
            page = (await http.get(f"/queues/{queue}", params={"state": state, "q": text})).text
            assert ": 0 match" in page
            page = (await http.get(f"/queues/{queue}", params={"state": state, "q": "login"})).text
            assert ": 0 match" not in page
        for path in ("/failures", f"/queues/{queue}/failures"):
            assert "No failures of this kind" in (await http.get(path, params={"q": text})).text


@pytest.mark.parametrize("method", ["job", "schedule", "cron_job", "event"])
async def test_a_leak_would_be_seen(scene: Scene, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    """With one mask taken away, the tests above see the secret."""
    monkeypatch.setattr(Redactor, method, lambda _, kept: dict(kept.fields) if method == "event" else kept)
    if method == "event":
        shown = [scene.api.state.desk.show_event(event).model_dump_json() for event in scene.events]
        assert any(map(leaks, shown))
    else:
        assert [path async for path, answer in answers(scene, Role.ADMIN) if leaks(answer.text)]


async def test_a_form_sent_back_keeps_the_secret(scene: Scene, admin: Admin) -> None:
    """Whoever edits something else sends the mask back with the payload: the secret stays what it was."""
    queue = scene.names["queue"][0]
    transport = httpx.ASGITransport(scene.pages)
    headers = {**OUR_PAGE, "x-role": "admin"}
    masked = '{"user": "bob", "word": "•••", "note": "Bearer •••"}'
    async with httpx.AsyncClient(transport=transport, base_url="http://corral", headers=headers) as http:
        form = {
            "job_id": "c", "handler": "login", "queue": queue, "pattern": "0 1 * * *", "tz": "UTC", "name": "",
            "payload": masked, "max_attempts": "3", "backoff_ms": "1000", "revision": "1",
        }  # fmt: skip
        assert (await http.post(f"/cron-jobs/{scene.cron_job.id}/edit", data=form)).status_code == 303
        form = {"id": "s", "name": "login", "every": "60", "payload": masked, "attempts": "1"}
        assert (await http.post(f"/queues/{queue}/schedules/s/edit", data=form)).status_code == 303
    stored = await scene.cron_jobs.get(scene.cron_job.id)
    schedule = await admin.queue(queue).schedules.get("s")
    assert stored
    assert schedule
    assert stored.payload == schedule.data == SECRET | {"user": "bob"}


async def test_no_form_takes_a_mask_for_another_task(scene: Scene, admin: Admin) -> None:
    """Another task's types may show what those of this one mask, so that the payload has to be given in full."""
    queue = scene.names["queue"][0]
    transport = httpx.ASGITransport(scene.pages)
    headers = {**OUR_PAGE, "x-role": "admin"}
    async with httpx.AsyncClient(transport=transport, base_url="http://corral", headers=headers) as http:
        form = {"name": "other", "every": "60", "payload": '{"user": "ann", "word": "•••"}', "attempts": "1"}
        assert (await http.post(f"/queues/{queue}/schedules/s/edit", data=form)).status_code == 422
        fields = {"job_id": "c", "queue": "elsewhere", "pattern": "0 1 * * *", "tz": "UTC", "revision": "1"}
        form |= fields | {"handler": "other", "max_attempts": "3", "backoff_ms": "1000"}
        answer = await http.post(f"/cron-jobs/{scene.cron_job.id}/edit", data=form)
        assert (answer.status_code, "give it in full" in answer.text) == (422, True)
    stored = await scene.cron_jobs.get(scene.cron_job.id)
    kept = await admin.queue(queue).schedules.get("s")
    assert stored
    assert kept
    assert stored.payload == kept.data == SECRET


async def test_the_api_takes_no_mask(scene: Scene, admin: Admin) -> None:
    """What was read from the API and sent back with its masks is refused, and changes nothing; nor
    does a cron job get another task, whose types may show its payload, without one."""
    queue = scene.names["queue"][0]
    payload = {"user": "bob", "word": "•••"}
    transport = httpx.ASGITransport(scene.api)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://corral", headers={"x-role": "admin"}
    ) as http:
        rule = {"every": 60_000}
        schedule = {"handler": "login", "rule": rule, "payload": payload}
        cron_job = {"jobId": "d", "pattern": "* * * * *", "handler": "login", "payload": payload}
        for answer in (
            await http.put(f"/api/v1/queues/{queue}/schedules/s", json=schedule),
            await http.patch(f"/api/admin/cronJob/{scene.cron_job.id}", json={"payload": payload}),
            await http.patch(f"/api/admin/cronJob/{scene.cron_job.id}", json={"handler": "another"}),
            await http.post("/api/admin/cronJob", json=cron_job),
        ):
            assert (answer.status_code, answer.json()["type"]) == (422, "urn:corral:problem:redacted")
    stored = await scene.cron_jobs.get(scene.cron_job.id)
    kept = await admin.queue(queue).schedules.get("s")
    assert stored
    assert kept
    assert stored.payload == kept.data == SECRET
