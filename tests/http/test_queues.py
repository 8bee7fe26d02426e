"""Queues over HTTP: lists in pages, settings, and what is done to a whole queue."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from corral.admin.admin import Admin
from corral.client.client import Client
from corral.client.queue import QueueClient
from corral.contracts.rate_limit import RateLimit
from corral.http.bounded import within_time
from tests.interop.snapshot import Raw


async def test_the_list_goes_on_by_its_cursor(http: httpx.AsyncClient, client: Client) -> None:
    """Every queue once, by name, in pages of any size; the last page has no cursor."""
    names = [f"q-{number}" for number in range(5)]
    for name in names:
        await client.queue(name).enqueue("send")
    found: list[str] = []
    cursor = None
    while True:
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await http.get("/api/v1/queues", params=params)).json()
        found += [one["queue"] for one in page["items"]]
        if (cursor := page["next"]) is None:
            break
        assert len(page["items"]) == 2
    assert found == names
    assert page["items"][0]["counts"]["waiting"] == 1


@pytest.mark.parametrize(
    "params",
    [
        {"limit": 10**12},
        {"limit": -(10**12)},
        {"limit": 0},
        {"limit": "9" * 400},
        {"page": -1},
        {"days": 10**9},
        {"offset": 10**12},
    ],
)
async def test_numbers_are_brought_inside(
    http: httpx.AsyncClient, produced: QueueClient, params: dict[str, Any]
) -> None:
    """No number that is too large or too small is an error, and none costs more than a page."""
    await produced.enqueue("send")
    for path in ("", f"/{produced.name}/jobs?state=waiting", f"/{produced.name}/schedules"):
        url = httpx.URL(f"/api/v1/queues{path}").copy_merge_params(params)
        answer = await http.get(url)
        assert answer.status_code == 200
        assert len(answer.json()["items"]) <= 1


@pytest.mark.parametrize(
    "cursor", ["x", "", "Y29ycmFsOi0x", "Y29ycmFsOjk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "ä", "===="]
)
async def test_a_cursor_that_is_none_is_refused(
    http: httpx.AsyncClient, produced: QueueClient, cursor: str
) -> None:
    """422: only what we gave leads anywhere."""
    await produced.enqueue("send")
    answer = await http.get("/api/v1/queues", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:corral:problem:invalid-cursor")


async def test_settings_are_read_and_changed(
    http: httpx.AsyncClient, produced: QueueClient, admin: Admin
) -> None:
    """Those that are given; null takes a limit away."""
    await produced.enqueue("send")
    path = f"/api/v1/queues/{produced.name}"
    change = {"concurrency": 3, "rateLimit": {"max": 5, "perMs": 1500}, "maxEvents": 500}
    told = (await http.patch(path, json=change)).json()
    assert {name: told[name] for name in change} == change
    settings = await admin.queue(produced.name).settings()
    assert (settings.concurrency, settings.rate_limit) == (3, RateLimit(5, 1.5))
    told = (await http.patch(path, json={"rateLimit": None})).json()
    assert (told["rateLimit"], told["concurrency"]) == (None, 3)


@pytest.mark.parametrize(
    "change",
    [
        {"concurrency": 0},
        {"concurrency": 10**12},
        {"rateLimit": {"max": 0, "perMs": 1}},
        {"rateLimit": {"max": 1, "perMs": 0}},
        {"rateLimit": {"max": 1, "perMs": 10**30}},
        {"peers": 7},
        {"maxEvents": -1},
        {"unknown": 1},
        {"concurrency": True},
        {"concurrency": "5"},
        {"concurrency": 5, "maxEvents": -1},
        {"concurrency": 5, "rateLimit": {"max": 0, "perMs": 1}},
    ],
)
async def test_settings_that_cannot_be_change_nothing(
    http: httpx.AsyncClient, produced: QueueClient, admin: Admin, change: Any
) -> None:
    """422, and what holds is as before."""
    await produced.enqueue("send")
    before = await admin.queue(produced.name).settings()
    assert (await http.patch(f"/api/v1/queues/{produced.name}", json=change)).status_code == 422
    assert await admin.queue(produced.name).settings() == before


async def test_a_queue_is_paused_and_resumed(http: httpx.AsyncClient, produced: QueueClient) -> None:
    """By making and deleting its pause; either may be asked for twice."""
    await produced.enqueue("send")
    path = f"/api/v1/queues/{produced.name}"
    for method, paused in (("POST", True), ("POST", True), ("DELETE", False), ("DELETE", False)):
        assert (await http.request(method, f"{path}/pauses")).status_code == 204
        assert (await http.get(path)).json()["paused"] is paused


async def test_a_queue_is_drained_and_cleaned(http: httpx.AsyncClient, produced: QueueClient) -> None:
    """What waits goes; delayed jobs on request, or by cleaning."""
    for _ in range(3):
        await produced.enqueue("send")
    for _ in range(2):
        await produced.enqueue("send", delay=60)
    path = f"/api/v1/queues/{produced.name}"
    told = (await http.post(f"{path}/drains")).json()
    assert told == {"finished": True, "count": 3, "lookedAt": 3, "remaining": 0}
    told = (
        await http.post(f"{path}/cleanings", json={"state": "delayed", "olderThan": 0, "limit": 1})
    ).json()
    assert told["count"] == 1
    assert (await http.post(f"{path}/drains", json={"delayed": True})).json()["count"] == 1


async def test_a_queue_is_obliterated_when_it_is_meant(
    http: httpx.AsyncClient, produced: QueueClient
) -> None:
    """Only with its name, once more; then it is 404."""
    await produced.enqueue("send")
    path = f"/api/v1/queues/{produced.name}"
    assert (await http.post(f"{path}/obliterations", json={"confirm": "yes"})).status_code == 422
    told = await http.post(f"{path}/obliterations", json={"confirm": produced.name})
    assert told.json()["finished"]
    assert (await http.get(path)).status_code == 404
    assert (await http.get("/api/v1/queues")).json()["items"] == []


async def test_a_long_verb_ends_with_its_time() -> None:
    """It is stopped, and says how far it came."""

    async def forever(report: Any) -> int:
        report(30, 100)
        await asyncio.Event().wait()
        return 0

    outcome = await within_time(forever, seconds=0.01)
    assert (outcome.finished, outcome.count, outcome.looked_at, outcome.remaining) == (False, None, 30, 70)


async def test_a_change_leaves_a_line(
    http: httpx.AsyncClient, produced: QueueClient, caplog: pytest.LogCaptureFixture, capsys: Any
) -> None:
    """Who did what, to what, in the log of the program."""
    await produced.enqueue("send")
    await http.post(f"/api/v1/queues/{produced.name}/pauses")
    said = capsys.readouterr()
    assert "queue.pause" in said.out + said.err + caplog.text
    assert "the admin" in said.out + said.err + caplog.text


async def test_damage_is_told_and_hides_nothing(
    http: httpx.AsyncClient, produced: QueueClient, raw: Raw, prefix: str
) -> None:
    """A key of a name that no queue can have is not listed; what holds something else than BullMQ writes is 409, with
    the key, wherever it is met."""
    await produced.enqueue("send")
    await raw.hset(f"{prefix}:no{{name:meta", "paused", 1)
    await raw.hset(f"{prefix}:".encode() + b"\xff\xfe:meta", "paused", 1)
    listed = (await http.get("/api/v1/queues")).json()
    assert [one["queue"] for one in listed["items"]] == [produced.name]
    base = f"/api/v1/queues/{produced.name}"
    await raw.hset(f"{prefix}:{produced.name}:metrics:failed", "count", "many")
    answer = await http.get(f"{base}/metrics/failed")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:corral:problem:queue-damaged")
    assert f"{prefix}:{produced.name}:metrics:failed" in answer.json()["detail"]
    await raw.set(f"{prefix}:{produced.name}:completed", "text")
    answer = await http.get(base)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:corral:problem:queue-damaged")
