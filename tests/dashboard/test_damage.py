"""A queue whose keys hold something else: it is said so, and it hides no other."""

from __future__ import annotations

import httpx
import pytest
import redis.asyncio
from fastapi import FastAPI

from corral import Admin, Client, Every
from corral.http.app import create_api
from tests.dashboard.conftest import by_role

OWN = ":corral:ill:"
KEYS = [
    "wait", "meta", "failed", "events", "repeat", "active", "delayed", "metrics:completed",
    f"{OWN}failures", f"{OWN}samples", f"{OWN}quarters",
]  # fmt: skip


@pytest.fixture(params=KEYS)
async def damaged(
    request: pytest.FixtureRequest, client: Client, admin: Admin, redis_url: str, prefix: str
) -> str:
    """A queue with one key of another type, beside one that is well."""
    for name in ("ill", "well"):
        await client.queue(name).enqueue("a", 1)
        await admin.queue(name).schedules.upsert(f"of-{name}", Every(hours=1), "a", 1)
        await client.queue(name).enqueue("a", 1, job_id="gone")
        await admin.queue(name).jobs.cancel("gone")
    async with redis.asyncio.Redis.from_url(redis_url) as raw:
        own = request.param.startswith(OWN)
        key = f"{prefix}:{request.param}" if own else f"{prefix}:ill:{request.param}"
        await raw.delete(key)
        await (raw.lpush(key, "x") if request.param == "events" else raw.set(key, "x"))
    return "ill"


async def test_pages_say_so(browser: httpx.AsyncClient, damaged: str) -> None:
    """Every page answers; those of all queues show the one that is well."""
    for path in ("/", "/failures", "/schedules", "/workers"):
        answer = await browser.get(path)
        assert answer.status_code == 200, path
        assert "well" in answer.text or path in ("/failures", "/workers")
    one = f"/queues/{damaged}"
    for path in (one, f"{one}?state=failed", f"{one}/failures", f"{one}/schedules", f"{one}/add"):
        answer = await browser.get(path)
        assert answer.status_code in (200, 409), path
        assert answer.status_code == 200 or "another program has written there" in answer.text


async def test_the_api_says_so(admin: Admin, client: Client, damaged: str) -> None:
    """The list has both; what cannot be read is 409."""
    api: FastAPI = create_api(admin, client=client, authenticate=by_role)
    transport = httpx.ASGITransport(api)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://corral", headers={"x-role": "admin"}
    ) as http:
        listed = (await http.get("/api/v1/queues")).json()["items"]
        assert [one["queue"] for one in listed] == ["ill", "well"]
        assert not listed[1]["damaged"]
        for path in ("", "/jobs?state=failed", "/schedules", "/failures", "/workers", "/samples"):
            assert (await http.get(f"/api/v1/queues/{damaged}{path}")).status_code in (200, 409), path
    await api.state.desk.close()
