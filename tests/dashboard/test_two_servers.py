"""Two dashboards in one process look after two servers, and neither knows of the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx
from starlette.applications import Starlette
from starlette.routing import Mount

from corral import Admin, Client
from corral.dashboard.app import create_dashboard
from tests.dashboard.conftest import OUR_PAGE, by_role
from tests.servers import ServerProcess


async def test_side_by_side(make_server: Callable[..., ServerProcess]) -> None:
    """Each shows its own queues, changes them, and stays open when the other is closed."""
    urls = [make_server().url, make_server().url]
    async with Admin(urls[0]) as first, Admin(urls[1]) as second:
        for number, url in enumerate(urls):
            async with Client(url) as client:
                await client.queue("shared").enqueue("a", f"payload-{number}")
                await client.queue(f"only-{number}").enqueue("a", 1)
        pages = [create_dashboard(admin, authenticate=by_role, environment={}) for admin in (first, second)]
        app = Starlette(routes=[Mount(f"/{number}", one) for number, one in enumerate(pages)])
        headers = {**OUR_PAGE, "x-role": "admin"}
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://x", headers=headers) as browser:
            texts = await asyncio.gather(*(browser.get(f"/{number}/") for number in (0, 1)))
            for number, answer in enumerate(texts):
                assert f"only-{number}" in answer.text
                assert f"only-{1 - number}" not in answer.text
                listed = (await browser.get(f"/{number}/queues/shared?state=waiting")).text
                assert f"payload-{number}" in listed
                assert f"payload-{1 - number}" not in listed
            await browser.post("/0/queues/shared/pause")
            assert [await admin.queue("shared").paused() for admin in (first, second)] == [True, False]
            await pages[0].state.desk.close()
            assert (await browser.get("/1/queues/shared")).status_code == 200
        await pages[1].state.desk.close()
