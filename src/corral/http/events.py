"""Events as they happen."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Query, Response

from corral.http.desk import TheDesk, TheQueue
from corral.http.event_stream import EventStream
from corral.http.strict_body import Resource

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/queues/{queue}/events", tags=["events"], route_class=Resource)

After = Annotated[
    str | None,
    Query(
        description="Go on behind this event; `0-0` is the oldest that is kept.", examples=["1767225600000-0"]
    ),
]
Seen = Annotated[
    str | None, Header(alias="Last-Event-ID", description="The same, as a browser's `EventSource` sends it.")
]
STREAM: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "description": "Events."}
}


@router.get("", summary="Follow the events of a queue", response_class=Response, responses=STREAM)
async def follow_events(desk: TheDesk, queue: TheQueue, after: After = None, seen: Seen = None) -> Response:
    """A stream of server-sent events, each with its id and, as JSON, what happened to which job. It goes on until you
    leave; comments keep the connection alive. An event named `missed` says that some before it are not kept any more.

    All connections share one reader a queue. One that takes nothing for half a minute, or is a thousand events behind,
    is closed; come back with the last id that you saw.
    """
    return EventStream(desk, queue.name, seen or after)
