"""The operator log: who changed what."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from corral.http.desk import TheOperatorLog
from corral.http.model import Moment, Shown, moment_of
from corral.http.paging import Cursor, Limit, Page, next_cursor, number_of
from corral.http.strict_body import Resource

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/operator-log", tags=["operator log"], route_class=Resource)


class LogEntryModel(Shown):
    """One thing that somebody did, or tried."""

    id: int
    at: Moment
    actor: str
    role: str | None
    action: str
    target: str
    detail: Any
    outcome: str


@router.get("", summary="Read the operator log")
async def read_operator_log(
    log: TheOperatorLog,
    limit: Limit = 20,
    cursor: Cursor = None,
    actor: Annotated[str | None, Query(description="Only what they did.")] = None,
    action: Annotated[str | None, Query(description="Only this.", examples=["job.retry"])] = None,
    target: Annotated[
        str | None, Query(description="Only what was done to something with this in its name.")
    ] = None,
) -> Page[LogEntryModel]:
    """The newest first."""
    before = None if cursor is None else number_of(cursor)
    found = await log.page(before, limit, actor=actor, action=action, target=target)
    items = [
        LogEntryModel(
            id=one.id,
            at=moment_of(one.at),
            actor=one.actor,
            role=one.role,
            action=one.action,
            target=one.target,
            detail=one.detail,
            outcome=one.outcome,
        )
        for one in found.entries
    ]
    return Page(items=items, next=None if found.before is None else next_cursor(str(found.before)))
