"""Failures over HTTP: by cause, counted first, retried, removed and replayed."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from corral import Worker
from corral.client.client import Client
from corral.contracts.queue import Queue
from corral.contracts.states import JobState
from tests.http.tasks import EmailTasks, Invite

PATH = "/api/v1/queues/http-email"


async def fail(redis_url: str, prefix: str, client: Client) -> list[str]:
    """Two causes of failure, three jobs of the first and one of the second; the first one's task is known."""
    queue = Queue("http-email", attempts=1)

    @queue.task(name="email.sendInvite")
    async def send(payload: dict[str, Any]) -> None:
        raise RuntimeError(f"no mailbox {payload['number']}")

    @queue.task(name="unknown")
    async def unknown(payload: dict[str, Any]) -> None:
        raise ValueError("no value")

    handles = [
        await EmailTasks.send_invite.enqueue(client, Invite(to="ann", number=n), attempts=1) for n in range(3)
    ]
    other = await client.queue("http-email").enqueue("unknown", {}, attempts=1)
    async with Worker(queue, url=redis_url, prefix=prefix):
        for handle in (*handles, other):
            await handle.wait(20)
    return [handle.id for handle in handles]


@pytest.fixture
async def failed(redis_url: str, prefix: str, client: Client) -> list[str]:
    """The ids of the jobs of the first cause."""
    return await fail(redis_url, prefix, client)


async def test_they_are_grouped(http: httpx.AsyncClient, failed: list[str]) -> None:
    """By type, place and message, with what the groups cover; and the jobs of each."""
    told = (await http.get(f"{PATH}/failures")).json()
    assert (told["covered"], told["total"], told["exact"]) == (4, 4, True)
    groups = {one["errorType"]: one for one in told["groups"]}
    assert groups["RuntimeError"]["count"] == 3
    assert groups["RuntimeError"]["message"] == "no mailbox #"
    jobs = (await http.get(f"{PATH}/failures/{groups['RuntimeError']['fingerprint']}/jobs")).json()
    assert {one["id"] for one in jobs["items"]} == {*failed}
    assert (await http.get(f"{PATH}/failures", params={"kind": "poison"})).json()["groups"] == []
    assert (await http.get(f"{PATH}/failures", params={"kind": "none"})).status_code == 422


async def test_a_group_is_counted_retried_and_removed(
    http: httpx.AsyncClient, client: Client, failed: list[str]
) -> None:
    """A dry run changes nothing."""
    groups = (await http.get(f"{PATH}/failures")).json()["groups"]
    mark = next(one["fingerprint"] for one in groups if one["errorType"] == "RuntimeError")
    queue = client.queue("http-email")
    for verb in ("retries", "removals"):
        told = (await http.post(f"{PATH}/failures/{verb}", json={"fingerprint": mark, "dryRun": True})).json()
        assert told["count"] == 3
    assert (await queue.counts())[JobState.FAILED] == 4
    told = (await http.post(f"{PATH}/failures/retries", json={"fingerprint": mark, "limit": 2})).json()
    assert (told["count"], (await queue.counts())[JobState.WAITING]) == (2, 2)
    told = (await http.post(f"{PATH}/failures/removals", json={"kind": "exhausted"})).json()
    assert (told["count"], (await queue.counts())[JobState.FAILED]) == (2, 0)


async def test_a_payload_is_mended_and_replayed(
    http: httpx.AsyncClient, client: Client, failed: list[str]
) -> None:
    """Validated against the task; what is not valid changes nothing."""
    path = f"{PATH}/jobs/{failed[0]}"
    bad = await http.post(f"{path}/replays", json={"payload": {"number": "x"}})
    assert (bad.status_code, bad.json()["errors"][0]["path"]) == (422, "payload.to")
    assert (await http.patch(path, json={"data": {"number": 1}})).status_code == 422
    job = await client.queue("http-email").get(failed[0])
    assert job is not None
    assert (job.state, job.data) == (JobState.FAILED, {"to": "ann", "number": 0})
    assert (await http.post(f"{path}/replays", json={"payload": {"to": "bob"}})).status_code == 204
    told = (await http.get(path)).json()
    assert (told["state"], told["data"]) == ("waiting", {"to": "bob", "number": 0})
    assert (await http.post(f"{path}/replays", json={"payload": {"to": "eve"}})).status_code == 409
