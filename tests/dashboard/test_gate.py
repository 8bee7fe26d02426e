"""What holds for every answer, and whose changes are taken."""

from __future__ import annotations

import re

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from corral import Client
from corral.client.queue import QueueClient
from corral.store.roles import Role
from tests.dashboard.conftest import Visitor

HEADERS = [
    ({"Sec-Fetch-Site": "same-origin"}, True),
    ({"Sec-Fetch-Site": "none"}, True),
    ({"Sec-Fetch-Site": "same-site"}, False),
    ({"Sec-Fetch-Site": "cross-site"}, False),
    ({"Sec-Fetch-Site": "cross-site", "Origin": "http://corral"}, False),
    ({"Sec-Fetch-Site": "same-origin", "Origin": "http://evil.example"}, True),
    ({"Origin": "http://corral"}, True),
    ({"Origin": "http://evil.example"}, False),
    ({"Origin": "http://corral.evil.example"}, False),
    ({"Origin": "null"}, False),
    ({"Referer": "http://corral/"}, False),
    ({}, False),
]


@pytest.mark.parametrize(("headers", "taken"), HEADERS)
async def test_changes_come_from_our_own_pages(
    visitor: Visitor, produced: QueueClient, headers: dict[str, str], taken: bool
) -> None:
    """`Sec-Fetch-Site` decides, else `Origin` against `Host`; what says neither comes from no browser of today."""
    await produced.enqueue("a", 1)
    async with visitor() as browser:
        del browser.headers["Sec-Fetch-Site"]
        answer = await browser.post(f"/queues/{produced.name}/pause", headers=headers)
    assert answer.status_code == (303 if taken else 403)
    assert await produced.paused() is taken


async def test_every_answer_has_the_headers(visitor: Visitor, produced: QueueClient) -> None:
    """Pages, files, problems and refusals alike forbid foreign scripts, frames and guessing at types."""
    await produced.enqueue("a", 1)
    async with visitor() as browser, visitor(None) as stranger:
        answers = [
            await who.get(path)
            for who in (browser, stranger)
            for path in ("/", f"/queues/{produced.name}", "/queues/none", "/nothing", "/assets/x/corral.css")
        ]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_strangers_see_nothing(dashboard: Starlette, visitor: Visitor, produced: QueueClient) -> None:
    """Whatever the route, a stranger gets 401, and nothing of a queue."""
    await produced.enqueue("a", "secret text")
    async with visitor(None) as stranger:
        for route in dashboard.routes:
            assert isinstance(route, Route)
            path = route.path.replace("{queue}", produced.name)
            for method in route.methods or ():
                answer = await stranger.request(method, path)
                assert (method, path, answer.status_code) == (method, path, 401)
                assert "secret text" not in answer.text


async def test_a_viewer_changes_nothing(
    dashboard: Starlette, visitor: Visitor, produced: QueueClient
) -> None:
    """Each route that takes a form refuses a viewer, before it looks at what was sent."""
    job = await produced.enqueue("a", 1, delay=60)
    forms = [
        route for route in dashboard.routes if isinstance(route, Route) and "POST" in (route.methods or ())
    ]
    assert len(forms) >= 11
    async with visitor(Role.VIEWER) as viewer:
        for route in forms:
            path = route.path.replace("{queue}", produced.name).replace("{job}", job.id)
            answer = await viewer.post(path, data={"id": job.id, "confirmed": "yes", "data": "2"})
            assert (path, answer.status_code) == (path, 403)
        page = await viewer.get(f"/queues/{produced.name}")
    assert 'method="post" action' not in page.text
    kept = await produced.get(job.id)
    assert kept is not None
    assert (kept.state, kept.data, await produced.paused()) == ("delayed", 1, False)


async def test_assets_are_a_table(visitor: Visitor) -> None:
    """A file is kept for ever under today's version; no path leads out of the table."""
    async with visitor() as browser:
        page = (await browser.get("/")).text
        path = page.partition('href="/assets/')[2].partition('"')[0]
        asset = await browser.get(f"/assets/{path}")
        assert "immutable" in asset.headers["cache-control"]
        for name in ("..%2Fapp.py", "..", "%2Fetc%2Fpasswd", "app.py"):
            assert (await browser.get(f"/assets/x/{name}")).status_code == 404


@pytest.mark.parametrize("name", ["a/b", "50 %", "a%2Fb", "ü?#"])
async def test_no_leads_back(visitor: Visitor, client: Client, name: str) -> None:
    """Who thinks better of a question goes back to the page that it came from, whatever the queue is called."""
    job = await client.queue(name).enqueue("a", 1)
    async with visitor() as browser:
        page = re.findall(r'href="(/queues/[^"]+)"', (await browser.get("/")).text)[0]
        question = await browser.post(f"{page}/drain")
        assert question.status_code == 200
        (back,) = re.findall(r'href="([^"]+)"[^>]*>No, go back', question.text)
        assert back == page
        assert job.id in (await browser.get(back)).text
