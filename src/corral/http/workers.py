"""Workers: who works on a queue."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field

from corral.http.desk import TheQueue
from corral.http.model import Shown
from corral.http.strict_body import Resource

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/queues/{queue}/workers", tags=["workers"], route_class=Resource)


class QueueWorkerModel(Shown):
    """A worker as its connection shows it."""

    name: str = Field(description="What it calls itself; empty for a Node worker without a name.")
    address: str = Field(description="Where it connects from.")
    age_ms: int = Field(description="Since it connected.")
    idle_ms: int = Field(description="Since it last asked for work.")


@router.get("", summary="List the workers of a queue")
async def list_queue_workers(queue: TheQueue) -> list[QueueWorkerModel]:
    """Those that are connected now, Corral's and Node's."""
    return [
        QueueWorkerModel(
            name=one.name, address=one.address, age_ms=round(one.age * 1000), idle_ms=round(one.idle * 1000)
        )
        for one in await queue.workers()
    ]
