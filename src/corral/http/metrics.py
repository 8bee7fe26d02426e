"""Metrics: how many jobs ended, minute by minute."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from corral.contracts.states import JobState
from corral.http.desk import TheQueue
from corral.http.model import Shown
from corral.http.strict_body import Resource

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/queues/{queue}/metrics", tags=["metrics"], route_class=Resource)

MOST_MINUTES = 1000


class MetricsModel(Shown):
    """Finished jobs, counted by Corral's workers, and by Node's that have metrics switched on."""

    state: str
    total: int
    minutes: list[int] = Field(description="What each past minute brought, the newest first.")


@router.get("/{state}", summary="How many jobs completed or failed")
async def read_metrics(
    queue: TheQueue,
    state: Literal["completed", "failed"],
    minutes: Annotated[int, Query(description="How many: 1 to 1000.")] = 60,
) -> MetricsModel:
    """In all, and by the minute."""
    found = await queue.metrics(JobState(state), limit=max(1, min(MOST_MINUTES, minutes)))
    return MetricsModel(state=state, total=found.total, minutes=found.minutes)
