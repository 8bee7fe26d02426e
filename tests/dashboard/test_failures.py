"""Failures by cause, and what is done about one of them."""

from __future__ import annotations

import re

import httpx
import pytest
import redis.asyncio

from corral import Admin
from corral.client.queue import QueueClient
from corral.contracts.states import JobState
from corral.store.roles import Role
from tests.admin.failing import fail
from tests.dashboard.conftest import Visitor


@pytest.fixture
async def failed(produced: QueueClient, admin: Admin, raw: redis.asyncio.Redis) -> QueueClient:
    """The queue with three jobs of one cause and one of another."""
    await produced.enqueue("ping")
    keys = admin.server.keys(produced.name)
    await fail(raw, keys, ["a1", "a2", "a3"], "user {id} has no address", error="NoAddress")
    await fail(raw, keys, ["b1"], "<script>alert(1)</script>", error="Other", function="<b>place</b>")
    return produced


def _fingerprint(page: str, error: str) -> str:
    """Of the group with this type of error."""
    found = re.search(rf'/failures/(\w+)"><b>{error}</b>', page)
    assert found
    return found[1]


@pytest.mark.parametrize("path", ["/failures", "/queues/{queue}/failures"])
async def test_groups(browser: httpx.AsyncClient, failed: QueueClient, path: str) -> None:
    """Jobs of one cause are one line, with their number; what they say is text."""
    page = (await browser.get(path.format(queue=failed.name))).text
    assert "<b>NoAddress</b>" in page
    assert "user # has no address" in page or "user … has no address" in page or "has no address" in page
    assert ">3</b>" in page
    assert "<script>alert" not in page
    assert "each of 4 failed jobs is in its group" in page


async def test_only_some(browser: httpx.AsyncClient, failed: QueueClient) -> None:
    """By kind, and by a text; what is no kind means all."""
    path = f"/queues/{failed.name}/failures"
    assert "<b>Other</b>" not in (await browser.get(f"{path}?q=noaddr")).text
    assert "<b>Other</b>" not in (await browser.get(f"{path}?kind=poison")).text
    assert "<b>Other</b>" in (await browser.get(f"{path}?kind=none&start=-1&number=x")).text


async def test_one_cause(browser: httpx.AsyncClient, failed: QueueClient) -> None:
    """Its page has the stack trace and the jobs; one that nobody has any more is 404."""
    path = f"/queues/{failed.name}/failures"
    fingerprint = _fingerprint((await browser.get(path)).text, "NoAddress")
    page = (await browser.get(f"{path}/{fingerprint}")).text
    assert "sender.py" in page
    assert re.findall(r'/jobs/(a\d)"', page) == ["a3", "a2", "a1"]
    assert (await browser.get(f"{path}/0000000000000000")).status_code == 404
    assert (await browser.get(f"{path}/%2F..%00")).status_code == 404


async def test_a_group_is_retried(browser: httpx.AsyncClient, failed: QueueClient) -> None:
    """The number is asked about first; then all of the group run again, and no other."""
    path = f"/queues/{failed.name}/failures"
    fingerprint = _fingerprint((await browser.get(path)).text, "NoAddress")
    asked = await browser.post(f"{path}/retry", data={"fingerprint": fingerprint})
    assert "<b>3</b> jobs" in asked.text
    assert (await failed.counts())[JobState.FAILED] == 4
    done = await browser.post(f"{path}/retry", data={"fingerprint": fingerprint, "confirmed": "yes"})
    assert done.headers["location"].endswith("outcome=retried&number=3")
    counts = await failed.counts()
    assert (counts[JobState.FAILED], counts[JobState.WAITING]) == (1, 4)


async def test_a_group_is_removed(browser: httpx.AsyncClient, failed: QueueClient) -> None:
    """In the same way; a viewer cannot."""
    path = f"/queues/{failed.name}/failures"
    fingerprint = _fingerprint((await browser.get(path)).text, "Other")
    await browser.post(f"{path}/remove", data={"fingerprint": fingerprint, "confirmed": "yes"})
    assert (await failed.counts())[JobState.FAILED] == 3
    assert await failed.get("b1") is None


async def test_viewers_look(visitor: Visitor, failed: QueueClient) -> None:
    """They see the causes, and no button."""
    async with visitor(Role.VIEWER) as browser:
        page = (await browser.get(f"/queues/{failed.name}/failures")).text
        assert "<b>NoAddress</b>" in page
        assert "Retry" not in page
        assert (await browser.post(f"/queues/{failed.name}/failures/retry")).status_code == 403
