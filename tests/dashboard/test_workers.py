"""The workers, and what they are told."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import httpx
import pytest

from corral import Client, Worker
from corral.store.roles import Role
from tests.dashboard.conftest import Visitor
from tests.dashboard.tasks import letters

YES = {"confirmed": "yes"}


@pytest.fixture
async def worker(client: Client, queue_name: str) -> AsyncIterator[Worker]:
    """A worker of the test's queue that has beaten once."""
    async with Worker(letters(queue_name), client=client, name="mailer/1<b>", concurrency=3) as worker:
        yield worker


async def test_what_a_worker_says_of_itself(browser: httpx.AsyncClient, worker: Worker) -> None:
    """Name, state, queue with its concurrency, version: as text."""
    page = await _until(browser, ">running</span>")
    assert "mailer/1&lt;b&gt;" in page
    assert "mailer/1<b>" not in page
    assert "× 3" in page
    assert ">running</span>" in page
    assert "Corral " in page
    assert "mailer/1" not in (await browser.get("/workers?q=nobody")).text
    assert (await browser.get("/workers?start=-1&q=%00")).status_code == 200


async def test_nobody_works(browser: httpx.AsyncClient) -> None:
    """Then the page says how to start one."""
    assert "corral worker" in (await browser.get("/workers")).text


async def test_drain_resume_and_resize(browser: httpx.AsyncClient, worker: Worker, queue_name: str) -> None:
    """The buttons of the page reach the worker, which says so in its record."""
    page = await _until(browser, ">Drain</button>")
    drain = re.findall(r'action="(/workers/[^"]+/drain)"', page)[0]
    done = await browser.post(drain, data=YES)
    assert done.headers["location"] == "/workers?outcome=draining"
    await _until(browser, ">draining</span>")
    await browser.post(drain.replace("drain", "resume"))
    await _until(browser, ">running</span>")
    path = drain.replace("/drain", "/concurrency")
    await browser.post(path, data={"queue": queue_name, "concurrency": "7", **YES})
    await _until(browser, "× 7")
    for data in ({"concurrency": "0"}, {"concurrency": "many"}, {"concurrency": "5", "queue": "other"}):
        assert (await browser.post(path, data=data)).status_code == 422


async def test_a_question_first(browser: httpx.AsyncClient, worker: Worker, queue_name: str) -> None:
    """Both say what will happen, change nothing yet, and lead back to the workers."""
    page = await _until(browser, ">Drain</button>")
    drain = re.findall(r'action="(/workers/[^"]+/drain)"', page)[0]
    asked = (await browser.post(drain)).text
    assert "ends what it has in hand (0 jobs)" in asked
    assert 'href="/workers"' in asked
    sizes = {"queue": queue_name, "concurrency": "7"}
    assert (
        "at most 3 at once now, and 7 from then on"
        in (await browser.post(drain.replace("/drain", "/concurrency"), data=sizes)).text
    )
    await _until(browser, "× 3")
    assert ">draining</span>" not in (await browser.get("/workers")).text


async def test_a_worker_that_is_gone(browser: httpx.AsyncClient) -> None:
    """There is nobody to tell, and that is said."""
    answer = await browser.post("/workers/nobody/drain")
    assert answer.status_code in (404, 409)
    assert "nobody" in answer.text


async def test_viewers_only_look(visitor: Visitor, worker: Worker) -> None:
    """They see the worker, and no button."""
    async with visitor(Role.VIEWER) as browser:
        page = await _until(browser, ">running</span>")
        assert "mailer/1" in page
        assert "Drain" not in page


async def _until(browser: httpx.AsyncClient, text: str) -> str:
    """Ask for the page until it says so."""
    async with asyncio.timeout(30):
        while text not in (page := (await browser.get("/workers")).text):
            await asyncio.sleep(0)
    return page
