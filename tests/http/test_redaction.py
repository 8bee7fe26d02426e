"""Secrets of a job leave the API masked, and what was read masked is not stored."""

from __future__ import annotations

from typing import Annotated

import httpx
import pytest
from pydantic import BaseModel
from starlette.requests import HTTPConnection

from corral import Admin, Client, Queue, Secret
from corral.contracts.secret import MASK
from corral.http.access import Principal
from corral.http.app import create_api
from corral.store.roles import Role


class Account(BaseModel):
    """A payload with a secret."""

    user: str
    pin: Annotated[str, Secret()]


async def somebody(_: HTTPConnection) -> Principal:
    """An admin."""
    return Principal("ann", Role.ADMIN)


@pytest.mark.parametrize("verb", ["patch", "replay"])
async def test_masked_on_the_way_out_and_refused_on_the_way_in(
    admin: Admin, client: Client, queue_name: str, verb: str
) -> None:
    """By the task's type where it is known; a payload with a mask in it is 422, and the stored one stays."""
    queue = Queue(queue_name)

    @queue.task
    async def charge(account: Account) -> None:
        """Charge."""

    job = await charge.enqueue(client, Account(user="ann", pin="1234"))
    api = create_api(admin, authenticate=somebody, tasks=[queue], client=client)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://x") as http:
        path = f"/api/v1/queues/{queue_name}/jobs/{job.id}"
        shown = (await http.get(path)).json()["data"]
        assert shown == {"user": "ann", "pin": MASK}
        listed = (await http.get(f"/api/v1/queues/{queue_name}/jobs?state=waiting")).json()["items"]
        assert listed[0]["data"] == shown
        if verb == "patch":
            answer = await http.patch(path, json={"data": shown})
        else:
            answer = await http.post(f"{path}/replays", json={"payload": shown})
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:corral:problem:redacted")
    kept = await client.queue(queue_name).get(job.id)
    assert kept is not None
    assert kept.data == {"user": "ann", "pin": "1234"}
    await api.state.desk.close()


@pytest.mark.parametrize("verb", ["patch", "replay"])
async def test_a_payload_that_has_changed_is_not_overwritten(
    http: httpx.AsyncClient, client: Client, queue_name: str, verb: str
) -> None:
    """A change that names the digest of what was read is 409 once the job shows another payload; nothing is changed."""
    producer = client.queue(queue_name)
    job = await producer.enqueue("other", {"to": "Ada"}, delay=60)
    path = f"/api/v1/queues/{queue_name}/jobs/{job.id}"
    read = (await http.get(path)).json()["digest"]
    assert (await http.patch(path, json={"data": {"to": "Joan"}, "digest": read})).status_code == 204
    if verb == "replay":
        await job.cancel()
        answer = await http.post(f"{path}/replays", json={"payload": {"to": "Grace"}, "digest": read})
    else:
        answer = await http.patch(path, json={"data": {"to": "Grace"}, "priority": 3, "digest": read})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:corral:problem:payload-changed")
    assert "Look at the job" in answer.json()["detail"]
    kept = await producer.get(job.id)
    assert kept is not None
    assert (kept.data, kept.priority) == ({"to": "Joan"}, 0)


async def test_a_digest_tells_nothing_of_a_secret(admin: Admin, client: Client, queue_name: str) -> None:
    """It is that of what is shown: two payloads that differ in a secret alone have the same."""
    producer = client.queue(queue_name)
    jobs = [await producer.enqueue("login", {"user": "ann", "password": pin}) for pin in ("1234", "4321")]
    api = create_api(admin, authenticate=somebody, client=client)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://x") as http:
        paths = [f"/api/v1/queues/{queue_name}/jobs/{job.id}" for job in jobs]
        first, second = [(await http.get(path)).json()["digest"] for path in paths]
    assert first == second
    await api.state.desk.close()
