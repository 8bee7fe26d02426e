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
