"""A queue's events for many listeners: one reader, and each listener hears all or is let go."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from corral import Client, Event
from corral.client import event_feed
from corral.client.event_feed import EventFeed, Listener, Missed
from corral.client.queue import QueueClient


async def heard(listener: Listener) -> str | None:
    """The job of the next event; None at the end."""
    async with asyncio.timeout(10):
        event = await listener.next()
    assert event is None or isinstance(event, Event)
    return None if event is None else event.job_id


async def test_who_comes_after_a_reader_has_ended(
    client: Client, queue: QueueClient, raw: Any, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events that went before they were read end the reader. Who listens from then on has another, though a listener of
    the first one is still there."""
    monkeypatch.setattr("corral.client.events.BLOCK_MS", 50)
    feed = EventFeed(client.server)
    await queue.enqueue("job", job_id="first")
    async with feed.listening(queue.name) as early:
        await raw.xtrim(f"{prefix}:{queue.name}:events", maxlen=0, approximate=False)
        assert await heard(early) is None
        async with feed.listening(queue.name) as late:
            await queue.enqueue("job", job_id="second")
            assert await heard(late) == "second"
        assert feed.queues == []


@pytest.mark.parametrize("most", ["MADE_UP", "MADE_UP_BYTES"])
async def test_what_is_made_up_for_is_bounded(
    client: Client, queue: QueueClient, monkeypatch: pytest.MonkeyPatch, most: str
) -> None:
    """In events and in bytes: who was away for too much is told that some are missed, and hears what comes."""
    monkeypatch.setattr(event_feed, most, 3 if most == "MADE_UP" else 2_000)
    feed = EventFeed(client.server)
    for _ in range(5):
        await queue.publish("said", {"text": "x" * 500})
    async with feed.listening(queue.name, after="0-0") as listener:
        async with asyncio.timeout(10):
            assert isinstance(await listener.next(), Missed)
        await queue.enqueue("job", job_id="later")
        assert await heard(listener) == "later"
