"""The job status API has exactly the fields that were asked for, exact numbers, and 404 for what is not there."""

from __future__ import annotations

import httpx

from corral.admin.admin import Admin
from corral.client.queue import QueueClient

STATUS = {"id", "state", "progress", "data", "returnvalue", "attemptsMade", "failedReason"}


async def test_a_job_has_its_fields(http: httpx.AsyncClient, produced: QueueClient) -> None:
    """A job is told with id, state, progress, data, returnvalue, attemptsMade and failedReason."""
    job = await produced.enqueue("send", {"to": "ann"}, job_id="invite-42")
    answer = await http.get(f"/api/v1/jobs/{produced.name}/{job.id}")
    assert answer.status_code == 200
    told = answer.json()
    assert told.keys() >= STATUS
    assert {name: told[name] for name in STATUS} == {
        "id": "invite-42",
        "state": "waiting",
        "progress": None,
        "data": {"to": "ann"},
        "returnvalue": None,
        "attemptsMade": 0,
        "failedReason": None,
    }


async def test_stats_count_every_kind_of_ready_job(
    http: httpx.AsyncClient, produced: QueueClient, admin: Admin
) -> None:
    """Waiting are those in line and the prioritized, whether or not the queue is paused."""
    await produced.enqueue("send")
    await produced.enqueue("send", priority=3)
    await produced.enqueue("send", delay=60)
    await admin.queue(produced.name).pause()
    answer = await http.get(f"/api/v1/jobs/{produced.name}/stats")
    assert answer.json() == {"waiting": 2, "active": 0, "completed": 0, "failed": 0, "delayed": 1}


async def test_numbers_stay_exact(http: httpx.AsyncClient, produced: QueueClient) -> None:
    """2**53+1 comes back as it went in, digit by digit."""
    job = await produced.enqueue("send", {"id": 2**53 + 1, "larger": 10**30})
    answer = await http.get(f"/api/v1/jobs/{produced.name}/{job.id}")
    assert '"id":9007199254740993' in answer.text
    assert f'"larger":{10**30}' in answer.text


async def test_what_is_not_there_is_404(http: httpx.AsyncClient, produced: QueueClient) -> None:
    """An unknown queue and an unknown job are problem documents with 404, and so is a name that no queue can have."""
    await produced.enqueue("send")
    for path, kind in (
        (f"/api/v1/jobs/{produced.name}/none", "job-gone"),
        ("/api/v1/jobs/none/1", "unknown-queue"),
        ("/api/v1/jobs/none/stats", "unknown-queue"),
        ("/api/v1/jobs/a%3Ab/1", "unknown-queue"),
        ("/api/v1/jobs/a%00b/1", "unknown-queue"),
    ):
        answer = await http.get(path)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"] == f"urn:corral:problem:{kind}"


async def test_any_letter_may_stand_in_an_id(http: httpx.AsyncClient, produced: QueueClient) -> None:
    """Slashes, percent signs and all else: a name is one segment of the path, decoded once."""
    for number, text in enumerate(("a/b", "a%2Fb", "100%", "a b?c#d", "ä/ö", "..", "stats/x", "x:y")):
        job_id = f"{text}-{number}"
        await produced.enqueue("send", job_id=job_id)
        quoted = httpx.URL("http://x", params={"q": job_id}).query[2:].decode().replace("+", "%20")
        for path in (
            f"/api/v1/jobs/{produced.name}/{quoted}",
            f"/api/v1/queues/{produced.name}/jobs/{quoted}",
        ):
            answer = await http.get(path)
            assert (answer.status_code, answer.json()["id"]) == (200, job_id)


async def test_a_job_called_stats(http: httpx.AsyncClient, produced: QueueClient) -> None:
    """It is found among the queue's jobs."""
    await produced.enqueue("send", job_id="stats")
    assert (await http.get(f"/api/v1/queues/{produced.name}/jobs/stats")).json()["id"] == "stats"
