"""The report of a day, wanted now."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final

from fastapi import APIRouter, HTTPException, status

from corral.frameworks.fastapi import InjectedClient
from shop.api.accepted import Accepted
from shop.api.dependencies import ForOperators
from shop.tasks import ReportDay, ReportTasks

__all__ = ["router"]

FOUNDED: Final = date(2020, 1, 1)

router = APIRouter(prefix="/reports", tags=["reports"], dependencies=[ForOperators])


@router.post("/{day}", status_code=status.HTTP_202_ACCEPTED)
async def make(day: date, client: InjectedClient) -> Accepted:
    """Have a day counted. The job belongs to no row, so the client enqueues it, without an outbox. Whoever asks for a
    day that waits already is given that job."""
    if not FOUNDED <= day <= datetime.now(UTC).date() + timedelta(days=1):
        raise HTTPException(status.HTTP_422_UNPROCESSABLE_CONTENT, "there is nothing to count on that day")
    job = await ReportTasks.daily.enqueue(client, ReportDay(day=day), deduplication=f"report:{day}")
    return Accepted.of(str(day), job)
