"""The operator log over HTTP: whatever is changed stands in it, with who did it and what came of it."""

from __future__ import annotations

import httpx

from corral.client.queue import QueueClient
from corral.store.roles import Role
from tests.http.conftest import Caller


async def test_a_change_is_written_and_read(
    http: httpx.AsyncClient, caller: Caller, produced: QueueClient
) -> None:
    """Who, what, to what, with what outcome; the newest first, in pages; refused ones with the reason."""
    job = await produced.enqueue("send")
    base = f"/api/v1/queues/{produced.name}"
    async with caller(Role.OPERATOR) as operator:
        await operator.post(f"{base}/pauses")
        await operator.post(f"{base}/jobs/{job.id}/promotions")
        await operator.post(f"{base}/drains")
    page = (await http.get("/api/v1/operator-log", params={"limit": 2})).json()
    assert [(one["action"], one["outcome"], one["actor"], one["role"]) for one in page["items"]] == [
        ("queue.drain", "done", "the operator", "operator"),
        ("job.promote", "JobNotInState", "the operator", "operator"),
    ]
    assert page["items"][0]["detail"]["count"] == 1
    rest = (await http.get("/api/v1/operator-log", params={"cursor": page["next"]})).json()
    assert [(one["action"], one["target"]) for one in rest["items"]] == [("queue.pause", produced.name)]
    assert rest["next"] is None
    found = await http.get("/api/v1/operator-log", params={"action": "job.promote"})
    assert len(found.json()["items"]) == 1


async def test_looking_leaves_no_trace(http: httpx.AsyncClient, produced: QueueClient) -> None:
    """Only changes are written."""
    await produced.enqueue("send")
    await http.get(f"/api/v1/queues/{produced.name}")
    await http.post(f"/api/v1/queues/{produced.name}/retries", json={"dryRun": True})
    assert (await http.get("/api/v1/operator-log")).json()["items"] == []
