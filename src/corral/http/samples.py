"""Samples: a queue minute by minute, for seven days."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Query
from pydantic import Field

from corral.contracts.sample import Sample
from corral.http.desk import TheQueue
from corral.http.model import MOST_MS, Moment, Shown, moment_of
from corral.http.strict_body import Resource

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/queues/{queue}/samples", tags=["metrics"], route_class=Resource)

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
"""The most that one request gives: 1,440 samples."""

Bound = Annotated[int | None, Query(description="Milliseconds since the epoch.", ge=0, le=MOST_MS)]


class SampleModel(Shown):
    """One minute. Times are milliseconds, null where no job tells."""

    at: Moment = Field(description="When the minute began.")
    counts: dict[str, int] = Field(description="How many jobs were in each state at its end.")
    completed: int
    failed: int
    measured: int = Field(description="Of how many jobs the times are.")
    wait_p50: int | None
    wait_p95: int | None
    run_p50: int | None
    run_p95: int | None
    oldest_waiting: int | None = Field(description="For how long the next job in line had been due.")


@router.get("", summary="A queue, minute by minute")
async def read_samples(queue: TheQueue, since: Bound = None, until: Bound = None) -> list[SampleModel]:
    """The oldest first: those that began at `since` or later and before `until`, else the last hour; a day of them at
    most, from `since` on. A minute in which nobody took a sample is missing."""
    end = moment_of(datetime.now(UTC)) if until is None else until
    begin = max(0, end - HOUR_MS) if since is None else since
    found = await queue.samples(_time(begin), _time(min(end, begin + DAY_MS)))
    return [_shown(sample) for sample in found]


def _shown(sample: Sample) -> SampleModel:
    return SampleModel(
        at=moment_of(sample.at),
        counts={str(state): count for state, count in sample.counts.items()},
        completed=sample.completed,
        failed=sample.failed,
        measured=sample.measured,
        wait_p50=sample.wait_p50,
        wait_p95=sample.wait_p95,
        run_p50=sample.run_p50,
        run_p95=sample.run_p95,
        oldest_waiting=sample.oldest_waiting,
    )


def _time(moment: int) -> datetime:
    return datetime.fromtimestamp(moment / 1000, UTC)
