"""Refusals leave traces in the operator log, and no flood of them."""

from __future__ import annotations

import httpx
from fastapi import FastAPI

from corral.admin.admin import Admin
from corral.client.client import Client
from corral.client.queue import QueueClient
from corral.dashboard.app import create_dashboard
from corral.http.action import Action
from corral.http.refused import MOST, Refused
from corral.store.database import Database
from corral.store.operator_log import OperatorLog
from corral.store.roles import Role
from tests.dashboard.conftest import OUR_PAGE, by_role
from tests.http.conftest import Caller


async def test_who_may_not_is_written(http: httpx.AsyncClient, caller: Caller, produced: QueueClient) -> None:
    """Who tried what, and where: also where the role is asked for before the request is looked at."""
    await produced.enqueue("send")
    paths = [f"/api/v1/queues/{produced.name}/pauses", "/api/admin/job", "/api/admin/cronJob/7/trigger"]
    async with caller(Role.VIEWER) as viewer:
        for path in paths:
            assert (await viewer.post(path, content=b"{")).status_code == 403
    entries = (await http.get("/api/v1/operator-log")).json()["items"]
    assert [(one["actor"], one["role"], one["action"], one["target"], one["outcome"]) for one in entries] == [
        ("the viewer", "viewer", action, f"POST {path}", "not-allowed")
        for action, path in zip(
            [Action.TRIGGER_CRON_JOB, Action.ADD_JOB, Action.PAUSE_QUEUE], reversed(paths), strict=True
        )
    ]


async def test_a_flood_leaves_one_entry(
    http: httpx.AsyncClient, caller: Caller, produced: QueueClient, api: FastAPI
) -> None:
    """For each who, and each action."""
    await produced.enqueue("send")
    async with caller(Role.VIEWER) as viewer, caller(Role.OPERATOR) as operator:
        for number in range(30):
            await viewer.post(f"/api/v1/queues/{produced.name}/jobs/{number}/retries")
            await viewer.delete(f"/api/v1/queues/{produced.name}/pauses")
            await operator.post("/api/admin/job")
    entries = (await http.get("/api/v1/operator-log")).json()["items"]
    assert sorted((one["actor"], one["action"]) for one in entries) == [
        ("the operator", "job.add"), ("the viewer", "job.retry"), ("the viewer", "queue.resume"),
    ]  # fmt: skip


async def test_the_pages_write_them_too(
    admin: Admin, client: Client, database: Database, produced: QueueClient
) -> None:
    """A form that a viewer sends, whatever is in it."""
    app = create_dashboard(admin, client=client, authenticate=by_role, database=database, environment={})
    await produced.enqueue("send")
    headers = {**OUR_PAGE, "x-role": "viewer"}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://corral", headers=headers) as viewer:
        for _ in range(3):
            assert (await viewer.post(f"/queues/{produced.name}/pause")).status_code == 403
    [entry] = (await OperatorLog(database).page()).entries
    assert (entry.actor, entry.action, entry.outcome) == ("the viewer", "queue.pause", "not-allowed")
    assert entry.target == f"POST /queues/{produced.name}/pause"
    await app.state.desk.close()


def test_one_an_hour_says_how_many_were_left_out() -> None:
    """The next one that is written counts those that were not."""
    now = 0.0
    refused = Refused(window=3600, clock=lambda: now)
    assert [refused.count("ann", "job.retry") for _ in range(5)] == [0, None, None, None, None]
    assert refused.count("ann", "job.remove") == 0
    assert refused.count("bob", "job.retry") == 0
    now = 3600.0
    assert [refused.count("ann", "job.retry") for _ in range(3)] == [4, None, None]


def test_what_it_remembers_is_bounded() -> None:
    """Those that were written the longest ago are forgotten first."""
    refused = Refused(clock=lambda: 0.0)
    for number in range(MOST + 1):
        assert refused.count(str(number), "job.retry") == 0
    assert refused.count(str(MOST), "job.retry") is None
    assert refused.count("0", "job.retry") == 0
