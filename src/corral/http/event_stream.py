"""Server-sent events: an answer that goes on while the queue does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from corral.client.event_feed import Listener, Missed
from corral.contracts.event import Event
from corral.http.desk import Desk

__all__ = ["EventStream", "event_text"]

HEARTBEAT: Final = 15.0
"""Seconds of silence until a comment is sent, so that proxies keep the connection and we learn that it is gone."""

PATIENCE: Final = 30.0
"""Seconds that a client may take to accept what is sent. Who is slower is dropped, and comes back by itself."""


class EventStream(Response):
    """The events of one queue, as `text/event-stream`, until the client or the program ends.

    A browser's `EventSource` that was cut off says which event it saw last, and goes on behind it.
    """

    media_type = "text/event-stream"

    def __init__(self, desk: Desk, queue: str, after: str | None) -> None:
        super().__init__()
        del self.headers["content-length"]
        self.headers["X-Accel-Buffering"] = "no"
        self._desk = desk
        self._queue = queue
        self._after = after

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until somebody has enough."""
        # An error before the first byte is an ordinary answer: the place is fixed first.
        async with self._desk.feed.listening(self._queue, after=self._after) as listener:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            sending = asyncio.ensure_future(_send_all(self._desk, listener, send))
            leaving = asyncio.ensure_future(_until_gone(receive))
            try:
                await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                sending.cancel()
                leaving.cancel()
                await asyncio.gather(sending, leaving, return_exceptions=True)


async def _send_all(desk: Desk, listener: Listener, send: Send) -> None:
    await _deliver(send, ": the events of a queue\n\n")
    following = asyncio.ensure_future(listener.next())
    try:
        while True:
            done, _ = await asyncio.wait({following}, timeout=HEARTBEAT)
            if not done:
                await _deliver(send, ":\n\n")
                continue
            event = following.result()
            if event is None:
                break
            await _deliver(send, event_text(desk, event))
            following = asyncio.ensure_future(listener.next())
    finally:
        following.cancel()
    await _within_patience(send({"type": "http.response.body", "body": b"", "more_body": False}))


async def _deliver(send: Send, text: str) -> None:
    await _within_patience(send({"type": "http.response.body", "body": text.encode(), "more_body": True}))


async def _within_patience(sending: Awaitable[Any]) -> None:
    async with asyncio.timeout(PATIENCE):
        await sending


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def event_text(desk: Desk, event: Event | Missed) -> str:
    """One event as it is sent. JSON has no line breaks of its own, so what a job says cannot forge an event."""
    if isinstance(event, Missed):
        return f"id: {event.id}\nevent: missed\ndata: {{}}\n\n"
    return f"id: {event.id}\ndata: {desk.show_event(event).model_dump_json()}\n\n"
