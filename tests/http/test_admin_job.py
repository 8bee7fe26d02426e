"""Adding a job by its handler: validated, once, with its options, and told in full."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from corral.client.client import Client
from corral.client.queue import QueueClient

INVITE = {"handler": "email.sendInvite", "payload": {"to": "ann@example.org", "number": 2**53 + 1}}


async def test_a_job_is_added_and_told(http: httpx.AsyncClient, client: Client) -> None:
    """201 with the job, which has the options that were given."""
    options = {"delay": 60_000, "priority": 7, "attempts": 9, "jobId": "invite-1"}
    answer = await http.post("/api/admin/job", json={**INVITE, "options": options})
    assert answer.status_code == 201
    told = answer.json()
    assert (told["id"], told["queue"], told["state"]) == ("invite-1", "http-email", "delayed")
    assert told["data"] == INVITE["payload"]
    job = await client.queue("http-email").get("invite-1")
    assert job is not None
    assert (job.delay, job.priority, job.opts.attempts) == (60_000, 7, 9)


async def test_the_same_id_is_one_job(http: httpx.AsyncClient) -> None:
    """The second time it is 200, and the first one stays."""
    first = await http.post("/api/admin/job", json={**INVITE, "options": {"jobId": "once"}})
    again = await http.post(
        "/api/admin/job", json={**INVITE, "payload": {"to": "bob"}, "options": {"jobId": "once"}}
    )
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["data"] == INVITE["payload"]


async def test_a_payload_is_validated_before_it_is_stored(http: httpx.AsyncClient, client: Client) -> None:
    """422 with the path of what is wrong, and no queue was made."""
    answer = await http.post("/api/admin/job", json={**INVITE, "payload": {"number": "many"}})
    assert answer.status_code == 422
    assert [one["path"] for one in answer.json()["errors"]] == ["payload.to", "payload.number"]
    assert await client.queues() == []


@pytest.mark.parametrize(
    ("job", "queue"),
    [
        ({"handler": "http-photos:ping", "payload": None}, "http-photos"),
        ({"handler": "ping", "queue": "http-email", "payload": None}, "http-email"),
        ({"handler": "of.another.program", "queue": "http-other"}, "http-other"),
        ({"handler": "http-other:of.another.program"}, "http-other"),
    ],
)
async def test_a_handler_is_found_in_its_queue(http: httpx.AsyncClient, job: Any, queue: str) -> None:
    """By its name alone, or with the queue: before it, or beside it. Tasks of other programs need one."""
    answer = await http.post("/api/admin/job", json=job)
    assert (answer.status_code, answer.json()["queue"]) == (201, queue)


@pytest.mark.parametrize(
    ("job", "kind"),
    [
        ({"handler": "ping"}, "unclear-task"),
        ({"handler": "email.sendInvit"}, "unknown-task"),
        ({"handler": "nobody.knows", "queue": "http-email"}, "unknown-task"),
        ({"handler": "x:y", "queue": "a:b"}, "invalid-queue-name"),
        ({"handler": "http-other:x", "options": {"delay": -1}}, "invalid-request"),
        ({"handler": "http-other:x", "options": {"delay": 10**18}}, "invalid-request"),
        ({"handler": "http-other:x", "options": {"priority": 10**12}}, "invalid-option"),
        ({"handler": "http-other:x", "options": {"attempts": 0}}, "invalid-option"),
        ({"handler": "http-other:x", "options": {"jobId": "42"}}, "invalid-job-id"),
        ({"handler": "http-other:x", "option": {}}, "invalid-request"),
        ({"handler": ""}, "unknown-task"),
        ({}, "invalid-request"),
        ([], "invalid-request"),
    ],
)
async def test_a_bad_request_is_refused(http: httpx.AsyncClient, client: Client, job: Any, kind: str) -> None:
    """422, with the reason, and nothing was stored."""
    answer = await http.post("/api/admin/job", json=job)
    assert (answer.status_code, answer.json()["type"]) == (422, f"urn:corral:problem:{kind}")
    assert await client.queues() == []


@pytest.mark.parametrize(
    ("body", "line", "column"),
    [
        ('{"handler": ', 1, 12),
        ('{"handler": "x",\n "payload": NaN}', 2, 13),
        ("{'handler': 1}", 1, 2),
    ],
)
async def test_malformed_json_is_told_with_its_place(
    http: httpx.AsyncClient, body: str, line: int, column: int
) -> None:
    """400, with line and column. NaN is no JSON."""
    answer = await http.post("/api/admin/job", content=body, headers={"Content-Type": "application/json"})
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (400, "urn:corral:problem:malformed-json")
    assert (problem["line"], problem["column"]) == (line, column)


async def test_a_key_twice_is_malformed(http: httpx.AsyncClient) -> None:
    """Two readers could take different ones."""
    body = '{"handler": "a:b", "handler": "c:d"}'
    answer = await http.post("/api/admin/job", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["detail"]) == (
        400,
        "the body is not JSON: a key appears twice in one object",
    )


async def test_a_job_that_is_gone_already_is_told_all_the_same(
    http: httpx.AsyncClient, produced: QueueClient
) -> None:
    """201 means that it was added, and says its id, whatever became of it since."""
    answer = await http.post("/api/admin/job", json={"handler": f"{produced.name}:x", "payload": [1]})
    assert answer.status_code == 201
    assert answer.json()["data"] == [1]
