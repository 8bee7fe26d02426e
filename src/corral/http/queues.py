"""Queues: what is in them, and their settings."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Final, Literal

from fastapi import APIRouter
from pydantic import Field

from corral.admin.queue import QueueAdmin
from corral.contracts.rate_limit import RateLimit
from corral.http.action import Action, Operator
from corral.http.damage import of_each
from corral.http.desk import TheDesk, TheQueue, may
from corral.http.model import Given, Milliseconds, Shown
from corral.http.paging import Cursor, Limit, Page, page_of, start_of
from corral.http.strict_body import Resource

__all__ = ["RateLimitModel", "router"]

router = APIRouter(prefix="/api/v1/queues", tags=["queues"], route_class=Resource)

MOST: Final = 2**31 - 1


class RateLimitModel(Given):
    """At most `max` starts in a window, over all workers."""

    max: int = Field(examples=[100])
    per_ms: Milliseconds = Field(description="The length of the window.", examples=[1000])


class QueueModel(Shown):
    """A queue and what is in it."""

    queue: str
    paused: bool
    counts: dict[str, int] = Field(description="How many jobs are in each state, at one moment.")
    damaged: bool = Field(default=False, description="Its keys hold something else: it cannot be read.")


class QueueDetail(QueueModel):
    """A queue with its settings, each null where nothing is set."""

    concurrency: int | None = Field(description="How many of its jobs may run at once, over all workers.")
    rate_limit: RateLimitModel | None
    held_for_ms: int = Field(description="How long no job may start, because of a rate limit.")
    max_events: int | None = Field(description="About how many events are kept.")
    version: str | None = Field(description="Who made it.", examples=["bullmq:6.7.0"])
    peers: int | None = Field(
        description="The major version of BullMQ that other programs use, where that was said."
    )


class QueueChange(Given):
    """Settings to change: those that are given. Null takes a limit away."""

    concurrency: Annotated[int, Field(ge=1, le=MOST)] | None = None
    rate_limit: RateLimitModel | None = None
    max_events: Annotated[int, Field(ge=0, le=MOST)] | None = None
    peers: Literal[5, 6] | None = None


@router.get("", summary="List the queues")
async def list_queues(desk: TheDesk, limit: Limit = 20, cursor: Cursor = None) -> Page[QueueModel]:
    """By name, with counts. A queue that is new may take some seconds to appear."""
    start = start_of(cursor)
    names = (await desk.queue_names.read())[start : start + limit]
    found = await of_each(names, lambda name: _summary(desk.admin.queue(name)))
    shown = [
        one or QueueModel(queue=name, damaged=True, paused=False, counts={}) for name, one in found.items()
    ]
    return page_of(shown, start, limit)


@router.get("/{queue}", summary="Look at a queue")
async def read_queue(queue: TheQueue) -> QueueDetail:
    """Its counts and its settings."""
    return await _detail(queue)


@router.patch("/{queue}", summary="Change a queue's settings")
async def change_queue(
    operator: Annotated[Operator, may(Action.SET_QUEUE)], queue: TheQueue, change: QueueChange
) -> QueueDetail:
    """They hold at once, for all workers; what runs goes on."""
    given = change.model_fields_set
    async with operator.acting(Action.SET_QUEUE, queue.name, **change.model_dump(exclude_unset=True)):
        # Made before anything is set: it raises for what cannot be. All else has been looked at.
        limit = (
            RateLimit(change.rate_limit.max, change.rate_limit.per_ms / 1000) if change.rate_limit else None
        )
        if "concurrency" in given:
            await queue.set_concurrency(change.concurrency)
        if "rate_limit" in given:
            await queue.set_rate_limit(limit)
        if change.max_events is not None:
            await queue.set_max_events(change.max_events)
        if "peers" in given:
            await queue.set_peers(change.peers)
    return await _detail(queue)


async def _summary(queue: QueueAdmin) -> QueueModel:
    counts = await queue.counts()
    return QueueModel(
        queue=queue.name, paused=await queue.paused(), counts={str(state): n for state, n in counts.items()}
    )


async def _detail(queue: QueueAdmin) -> QueueDetail:
    counts, settings = await queue.counts(), asdict(await queue.settings())
    limit = settings.pop("rate_limit")
    return QueueDetail(
        queue=queue.name,
        counts={str(state): n for state, n in counts.items()},
        rate_limit=None
        if limit is None
        else RateLimitModel(max=limit["max"], per_ms=round(limit["per"] * 1000)),
        held_for_ms=round(await queue.held_for() * 1000),
        **settings,
    )
