"""Attempts to deliver webhooks: kept, read in pages, and removed by age and by count."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from corral.store.database import Database
from corral.store.webhook_events import EventRange, WebhookEvent, WebhookEvents
from tests.store.conftest import Clock


def attempt(**fields: Any) -> WebhookEvent:
    """An attempt."""
    given: dict[str, Any] = {
        "subscription_id": "s", "event_id": "e", "job_id": "j", "attempt": 1, "change": {"resource_id": "7"},
        "status": 500, "milliseconds": 12, "response": "no", "error": "it answered 500",
    }  # fmt: skip
    return WebhookEvent(**given | fields)


@pytest.fixture
def events(database: Database, clock: Clock) -> WebhookEvents:
    """A log of attempts by a clock that tests move."""
    return WebhookEvents(database, clock=clock)


async def test_all_is_kept(events: WebhookEvents, clock: Clock) -> None:
    """Whatever a receiver answers can be stored, cut where it is long."""
    made = await events.record(attempt(response="\0\ud800" + "x" * 5000))
    kept = await events.get(made)
    assert kept
    assert (kept.at, kept.status, kept.change, kept.error) == (
        clock(),
        500,
        {"resource_id": "7"},
        "it answered 500",
    )
    assert kept.response.startswith("\\x00")
    assert len(kept.response) == 2048
    assert await events.get(made + 1) is None


async def test_pages(events: WebhookEvents) -> None:
    """Those of a subscription, the newest first, each once; failed ones alone if wanted."""
    ids = [await events.record(attempt(error=None if number % 2 else "no")) for number in range(5)]
    await events.record(attempt(subscription_id="other"))
    found, before = list[int](), None
    while True:
        page = await events.page("s", limit=2, before=before)
        found += [event.id for event in page.events]
        if (before := page.before) is None:
            break
    assert found == ids[::-1]
    assert [event.id for event in (await events.page("s", failed=True)).events] == [ids[4], ids[2], ids[0]]


async def test_a_range_has_each_event_once(events: WebhookEvents, clock: Clock) -> None:
    """The last of its attempts in this time, in their order, in pages; failed ones are those of which no attempt has
    arrived, also later. Pings are none."""
    began, last = clock(), dict[str, int]()
    for event_id, error in [("a", "no"), ("b", "no"), ("a", "no"), ("c", None), ("b", "no"), (None, "no")]:
        made = await events.record(attempt(event_id=event_id, error=error))
        if event_id:
            last[event_id] = made
        clock.forward(minutes=1)
    await events.record(attempt(event_id="b", error=None))
    await events.record(attempt(event_id="d", subscription_id="other"))

    async def told(**fields: Any) -> list[str]:
        given: dict[str, Any] = {"subscription_id": "s", "since": began, "until": clock(), "failed": False}
        asked = EventRange(**given | fields)
        found = list(await events.latest(asked, limit=2))
        found += await events.latest(asked, after=found[-1].id) if found else []
        assert await events.count(asked) == len(found)
        assert all(event.id == last[str(event.event_id)] for event in found if not fields)
        return [str(event.event_id) for event in found]

    assert await told() == ["a", "c", "b"]
    assert await told(failed=True) == ["a"]
    assert await told(since=began + timedelta(minutes=3)) == ["c", "b"]
    assert await told(until=began + timedelta(minutes=2)) == ["a", "b"]
    assert await told(subscription_id="none") == []


async def test_old_and_many_ones_go(events: WebhookEvents, clock: Clock) -> None:
    """By age for all, and by count for one subscription."""
    for _ in range(5):
        await events.record(attempt())
        clock.forward(days=1)
    await events.record(attempt(subscription_id="other"))
    assert await events.remove_older(timedelta(days=3, hours=12)) == 2
    assert await events.keep_latest("s", 1) == 2
    assert await events.keep_latest("none", 1) == 0
    assert len((await events.page("s")).events) == 1
    assert len((await events.page("other")).events) == 1
