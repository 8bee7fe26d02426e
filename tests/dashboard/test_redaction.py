"""Secrets stand on no page, and an edit beside one leaves it what it is."""

from __future__ import annotations

from typing import Annotated

import httpx
from pydantic import BaseModel

from corral import Admin, Client, Queue, Secret
from corral.contracts.secret import MASK
from corral.dashboard.app import create_dashboard
from tests.dashboard.conftest import OUR_PAGE, by_role, seen


class Account(BaseModel):
    """A payload with a secret."""

    user: str
    pin: Annotated[str, Secret()]


async def test_pages_show_no_secret_and_edits_keep_it(admin: Admin, client: Client, queue_name: str) -> None:
    """List, job, download and form show the mask; saving the form with another user keeps the pin."""
    queue = Queue(queue_name)

    @queue.task
    async def charge(account: Account) -> None:
        """Charge."""

    job = await charge.enqueue(client, Account(user="ann", pin="the-pin-8812"))
    pages = create_dashboard(admin, client=client, authenticate=by_role, tasks=[queue], environment={})
    headers = {**OUR_PAGE, "x-role": "admin"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(pages), base_url="http://x", headers=headers
    ) as http:
        path = f"/queues/{queue_name}/jobs/{job.id}"
        for page in (
            f"/queues/{queue_name}?state=waiting",
            path,
            f"{path}/data.json",
            f"{path}/edit",
            f"{path}/edit?as=json",
        ):
            text = (await http.get(page)).text
            assert (page, "the-pin-8812" in text, MASK in text) == (page, False, True)
        form = {"json": f'{{"user": "bob", "pin": "{MASK}"}}'} | await seen(http, f"{path}/edit")
        done = await http.post(f"{path}/edit", data=form)
        assert done.status_code == 303
    kept = await client.queue(queue_name).get(job.id)
    assert kept is not None
    assert kept.data == {"user": "bob", "pin": "the-pin-8812"}
    await pages.state.desk.close()
