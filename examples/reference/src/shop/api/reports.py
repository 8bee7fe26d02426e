"""The report of a day, wanted now."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter, status

from corral.frameworks.fastapi import InjectedClient
from shop.api.accepted import Accepted
from shop.api.dependencies import TheUser
from shop.tasks import ReportDay, ReportTasks

__all__ = ["router"]

router = APIRouter(prefix="/reports", tags=["reports"])


@router.post("/{day}", status_code=status.HTTP_202_ACCEPTED)
async def make(day: date, user: TheUser, client: InjectedClient) -> Accepted:
    """Have a day counted. The job belongs to no row, so the client enqueues it, without an outbox."""
    job = await ReportTasks.daily.enqueue(client, ReportDay(day=day))
    return Accepted.of(str(day), job)
