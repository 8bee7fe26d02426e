"""Jobs over HTTP: lists, logs, why they wait, flows; and what is done to one or to many."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from corral import Worker
from corral.admin.admin import Admin
from corral.client.client import Client
from corral.client.queue import QueueClient
from corral.contracts.queue import Queue
from corral.contracts.states import JobState
from corral.http import jobs


@pytest.fixture
def path(produced: QueueClient) -> str:
    """Where the test's queue is."""
    return f"/api/v1/queues/{produced.name}"


async def fail(redis_url: str, prefix: str, produced: QueueClient, count: int) -> list[str]:
    """Some failed jobs, the oldest first."""
    queue = Queue(produced.name, attempts=1)

    @queue.task(name="send")
    async def send(payload: dict[str, int]) -> None:
        raise RuntimeError(f"no {payload['number']}")

    handles = [await produced.enqueue("send", {"number": n}, attempts=1) for n in range(count)]
    async with Worker(queue, url=redis_url, prefix=prefix, concurrency=1):
        for handle in handles:
            await handle.wait(20)
    return [handle.id for handle in handles]


async def test_a_list_goes_on_by_its_cursor(
    http: httpx.AsyncClient, produced: QueueClient, path: str
) -> None:
    """Jobs in the order in which they run, each once; the last page has no cursor."""
    ids = [(await produced.enqueue("send")).id for _ in range(5)]
    found: list[str] = []
    params = {"state": "waiting", "limit": "2"}
    while True:
        page = (await http.get(f"{path}/jobs", params=params)).json()
        found += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        params["cursor"] = page["next"]
    assert found == ids
    assert (await http.get(f"{path}/jobs", params={"state": "gone"})).status_code == 422


async def test_a_log_is_read_and_written(http: httpx.AsyncClient, produced: QueueClient, path: str) -> None:
    """In pages, the oldest line first."""
    job = await produced.enqueue("send")
    for number in range(3):
        answer = await http.post(f"{path}/jobs/{job.id}/logs", json={"line": f"line {number}"})
        assert answer.status_code == 204
    page = (await http.get(f"{path}/jobs/{job.id}/logs", params={"limit": 2})).json()
    assert page["items"] == ["line 0", "line 1"]
    page = (await http.get(f"{path}/jobs/{job.id}/logs", params={"cursor": page["next"]})).json()
    assert (page["items"], page["next"]) == (["line 2"], None)


async def test_why_a_job_waits(http: httpx.AsyncClient, produced: QueueClient, path: str) -> None:
    """In a word and in a sentence."""
    job = await produced.enqueue("send")
    await http.post(f"{path}/pauses")
    told = (await http.get(f"{path}/jobs/{job.id}/explanation")).json()
    assert (told["kind"], told["reason"]) == ("paused", "its queue is paused")


async def test_a_flow_is_a_tree(
    http: httpx.AsyncClient, client: Client, produced: QueueClient, path: str
) -> None:
    """A job with those below it."""
    children = [produced.node("child", job_id=f"child-{n}") for n in range(3)]
    await produced.node("parent", job_id="parent", children=children).enqueue(client)
    tree = (await http.get(f"{path}/jobs/parent/flow", params={"width": 2, "depth": 10**9})).json()
    assert tree["job"]["id"] == "parent"
    assert len(tree["children"]) == 2
    assert tree["more"] == 1


async def test_a_flow_that_is_too_large(
    http: httpx.AsyncClient,
    client: Client,
    produced: QueueClient,
    path: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """422 when its time is over, with what to ask for instead."""
    await produced.node("parent", job_id="parent", children=[produced.node("child")]).enqueue(client)
    monkeypatch.setattr(jobs, "SECONDS", 0.0)
    answer = await http.get(f"{path}/jobs/parent/flow")
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:corral:problem:flow-too-large")
    assert "fewer levels (depth)" in answer.json()["detail"]


async def test_one_job_is_retried_promoted_changed_and_removed(
    http: httpx.AsyncClient, produced: QueueClient, path: str, redis_url: str, prefix: str
) -> None:
    """Each verb is a resource of the job."""
    [failed] = await fail(redis_url, prefix, produced, 1)
    delayed = (await produced.enqueue("send", delay=60)).id
    assert (await http.post(f"{path}/jobs/{failed}/retries", json={"resetAttempts": True})).status_code == 204
    assert (
        await http.patch(f"{path}/jobs/{delayed}", json={"data": {"n": 1}, "delay": 5})
    ).status_code == 204
    assert (await http.post(f"{path}/jobs/{delayed}/promotions")).status_code == 204
    told = (await http.get(f"{path}/jobs/{delayed}")).json()
    assert (told["state"], told["data"]) == ("waiting", {"n": 1})
    assert (await http.patch(f"{path}/jobs/{delayed}", json={"priority": 4})).status_code == 204
    assert (await http.get(f"{path}/jobs/{delayed}")).json()["state"] == "prioritized"
    assert (await http.delete(f"{path}/jobs/{delayed}")).json() == {"count": 1}
    assert (await http.get(f"{path}/jobs/{delayed}")).status_code == 404


async def test_a_state_that_does_not_allow_it_is_told(
    http: httpx.AsyncClient, produced: QueueClient, path: str
) -> None:
    """409, with the state and those that would do."""
    job = await produced.enqueue("send")
    answer = await http.post(f"{path}/jobs/{job.id}/promotions")
    told = answer.json()
    assert (answer.status_code, told["type"]) == (409, "urn:corral:problem:job-not-in-state")
    assert (told["jobId"], told["state"], told["allowed"]) == (job.id, "waiting", ["delayed"])
    for verb in ("retries", "promotions"):
        assert (await http.post(f"{path}/jobs/none/{verb}")).status_code == 404


async def test_many_are_counted_first_and_then_retried(
    http: httpx.AsyncClient, produced: QueueClient, path: str, admin: Admin, redis_url: str, prefix: str
) -> None:
    """By what they have in common: a dry run changes nothing and says how many these are."""
    await fail(redis_url, prefix, produced, 12)
    body = {"where": {"reason": "no 1"}, "dryRun": True}
    assert (await http.post(f"{path}/retries", json=body)).json()["count"] == 3
    assert (await admin.queue(produced.name).counts())[JobState.FAILED] == 12
    told = (await http.post(f"{path}/retries", json={**body, "dryRun": False})).json()
    assert (told["count"], told["finished"]) == (3, True)
    assert (await admin.queue(produced.name).counts())[JobState.FAILED] == 9


async def test_some_are_named(
    http: httpx.AsyncClient, produced: QueueClient, path: str, redis_url: str, prefix: str
) -> None:
    """By their ids: for which it was done, and why not for the others."""
    failed = await fail(redis_url, prefix, produced, 2)
    waiting, delayed = (await produced.enqueue("send")).id, (await produced.enqueue("send", delay=9)).id
    told = (await http.post(f"{path}/retries", json={"ids": [*failed, waiting, "none"]})).json()
    assert told["done"] == failed
    assert [(one["jobId"], one["type"]) for one in told["refused"]] == [
        (waiting, "job-not-in-state"),
        ("none", "job-gone"),
    ]
    assert (await http.post(f"{path}/promotions", json={"ids": [delayed]})).json()["done"] == [delayed]
    told = (await http.post(f"{path}/removals", json={"ids": [delayed, "none"]})).json()
    assert (told["done"], told["refused"][0]["type"]) == ([delayed], "job-gone")


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("retries", {"ids": []}),
        ("retries", {"ids": "abc"}),
        ("retries", {"ids": ["x"] * 1001}),
        ("retries", {"ids": ["x"], "where": {"name": "y"}}),
        ("retries", {"state": "active"}),
        ("retries", {"where": {"finishedAfter": 10**30}}),
        ("retries", {"where": {"finishedAfter": 5, "finishedBefore": 4}}),
        ("retries", {"limit": 0}),
        ("promotions", {"id": "x"}),
        ("removals", {}),
        ("cleanings", {"state": "waiting-children", "olderThan": 0}),
        ("cleanings", {"state": "failed", "olderThan": -1}),
        ("cleanings", {"state": "failed", "olderThan": 10**40}),
    ],
)
async def test_what_cannot_be_meant_is_refused(
    http: httpx.AsyncClient, produced: QueueClient, path: str, verb: str, body: Any
) -> None:
    """422, and nothing was changed."""
    await produced.enqueue("send")
    assert (await http.post(f"{path}/{verb}", json=body)).status_code == 422
    assert (await produced.counts())[JobState.WAITING] == 1


async def test_jobs_are_cancelled(http: httpx.AsyncClient, produced: QueueClient, path: str) -> None:
    """They fail for good with the reason; what has ended is refused, alone with 409, among others by its name."""
    first, second, third = [(await produced.enqueue("send")).id for _ in range(3)]
    answer = await http.post(f"{path}/jobs/{first}/cancellations", json={"reason": "not wanted"})
    assert (answer.status_code, answer.json()) == (200, {"ended": True})
    told = (await http.get(f"{path}/jobs/{first}")).json()
    assert (told["state"], told["failureKind"], told["failedReason"], told["kind"]) == (
        "failed",
        "cancelled",
        "cancelled: not wanted",
        "adhoc",
    )
    assert (await http.post(f"{path}/jobs/{first}/cancellations")).status_code == 409
    assert (await http.post(f"{path}/jobs/none/cancellations")).status_code == 404
    answer = await http.post(f"{path}/jobs/{third}/cancellations", json={"reason": "x" * 1001})
    assert answer.status_code == 422
    told = (await http.post(f"{path}/cancellations", json={"ids": [second, first, "none"]})).json()
    assert (told["done"], [one["type"] for one in told["refused"]]) == (
        [second],
        ["job-not-in-state", "job-gone"],
    )
