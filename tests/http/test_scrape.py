"""Metrics over the API: for those with a token, and for nobody else."""

from __future__ import annotations

import httpx

from corral.client.queue import QueueClient
from corral.store.roles import Role
from tests.http.conftest import Caller
from tests.instrumentation.scraped import Scraped


async def test_a_viewer_scrapes(caller: Caller, produced: QueueClient, queue_name: str) -> None:
    """The least role is enough, as a scraper needs no more."""
    await produced.enqueue("work", 1)
    async with caller(Role.VIEWER) as http:
        answer = await http.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert Scraped(answer.text).value("corral_queue_jobs", queue=queue_name, state="waiting") == 1


async def test_nobody_else(caller: Caller) -> None:
    """Metrics name queues and tell how a business goes: without a token there are none."""
    async with caller(None) as http:
        answer: httpx.Response = await http.get("/metrics")
    assert answer.status_code == 401
    assert "corral_" not in answer.text


async def test_the_outbox(caller: Caller) -> None:
    """Where there is a database, how far its relays are behind is among the metrics."""
    async with caller(Role.VIEWER) as http:
        answer = await http.get("/metrics")
    assert Scraped(answer.text).value("corral_outbox_lag_seconds") == 0
