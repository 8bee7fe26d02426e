"""Workers over HTTP: who is there, and what is told to them. Samples of what they did."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from corral import Worker
from corral.admin.admin import Admin
from corral.admin.sampler import Sampler
from corral.client.queue import QueueClient
from corral.contracts.queue import Queue


async def test_a_worker_is_drained_resumed_and_changed(
    http: httpx.AsyncClient, redis_url: str, prefix: str, produced: QueueClient
) -> None:
    """By its name, or only the one instance; its record says what it does."""
    queue = Queue(produced.name)
    await produced.enqueue("send")
    async with Worker(queue, url=redis_url, prefix=prefix, name="one/of:these"):

        async def told(**wanted: Any) -> None:
            async with asyncio.timeout(30):
                while True:
                    found = (await http.get("/api/v1/workers")).json()
                    if found and all(found[0][name] == value for name, value in wanted.items()):
                        return

        path = "/api/v1/workers/one%2Fof%3Athese"
        await told(name="one/of:these", state="running", queues=[produced.name])
        assert (await http.post(f"{path}/drains")).status_code == 204
        await told(state="draining")
        assert (await http.delete(f"{path}/drains")).status_code == 204
        await told(state="running")
        assert (await http.patch(path, json={"concurrency": 3})).status_code == 204
        await told(concurrency={produced.name: 3})
        [worker] = (await http.get(f"/api/v1/queues/{produced.name}/workers")).json()
        assert worker["concurrency"] == {produced.name: 3}
        for change in ({"concurrency": 0}, {"concurrency": 10**12}, {"concurrency": 1, "queue": "other"}):
            assert (await http.patch(path, json=change)).status_code == 422
        assert (await http.post(f"{path}/drains", params={"instance": "another"})).status_code == 404


async def test_a_worker_that_is_not_there(http: httpx.AsyncClient) -> None:
    """404, with the reason."""
    answer = await http.post("/api/v1/workers/nobody/drains")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:corral:problem:worker-gone")


async def test_samples_are_read(http: httpx.AsyncClient, admin: Admin, produced: QueueClient) -> None:
    """Those between two times, the oldest first."""
    await produced.enqueue("send")
    now = datetime.now(UTC).replace(second=30)
    await Sampler(admin.server, [produced.name]).sample_once(now)
    path = f"/api/v1/queues/{produced.name}/samples"
    [sample] = (await http.get(path)).json()
    assert sample["counts"]["waiting"] == 1
    assert sample["at"] == round(
        (now.replace(second=0, microsecond=0) - timedelta(minutes=1)).timestamp() * 1000
    )
    assert (await http.get(path, params={"since": 0, "until": sample["at"]})).json() == []
    assert (await http.get(path, params={"since": sample["at"], "until": sample["at"] + 1})).json() == [
        sample
    ]


@pytest.mark.parametrize("bound", ["0", "253402300799999"])
async def test_samples_of_any_time(http: httpx.AsyncClient, produced: QueueClient, bound: str) -> None:
    """The ends of time are times, too."""
    await produced.enqueue("send")
    for params in ({"since": bound}, {"until": bound}, {"since": bound, "until": bound}):
        answer = await http.get(f"/api/v1/queues/{produced.name}/samples", params=params)
        assert (answer.status_code, answer.json()) == (200, [])
