"""What a program declares of cron jobs, and how it is laid over what operators have set."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from corral.client.ids import new_job_id
from corral.store.cron_job import FIELDS, CronJob
from corral.store.tables import CronJobRow

__all__ = ["declare", "declared_of", "edited_of", "give_back", "revision_of"]


async def declare(session: AsyncSession, cron_job: CronJob, now: datetime) -> None:
    """Make or change the row of a cron job that the program declares."""
    said = {name: getattr(cron_job, name) for name in FIELDS}
    row = await _one(session, CronJobRow.declared_as == cron_job.job_id)
    if row is not None:
        _follow(row, said, now)
        return
    row = await _one(session, CronJobRow.job_id == cron_job.job_id)
    if row is not None:  # an operator's: all of it stays as it is, until it is given back
        row.declared_as, row.declared, row.edited = cron_job.job_id, said, list(FIELDS)
        return
    session.add(
        CronJobRow(
            **said,
            id=new_job_id(),
            created_at=now,
            updated_at=now,
            revision=1,
            declared_as=cron_job.job_id,
            declared=said,
        )
    )
    await session.flush()


def give_back(row: CronJobRow) -> None:
    """Let a declared row be what the program declared last."""
    for name, value in (declared_of(row) or {}).items():
        setattr(row, name, value)
    row.edited = None


def edited_of(row: CronJobRow) -> list[str]:
    """The fields that an operator has set of a declared row, as far as that can be read."""
    edited: Any = row.edited
    return [name for name in FIELDS if name in edited] if isinstance(edited, list) else []


def revision_of(row: CronJobRow) -> int:
    """How often a row was changed; 0 where somebody has written what is no number."""
    revision: Any = row.revision
    return revision if isinstance(revision, int) else 0


def declared_of(row: CronJobRow) -> dict[str, Any] | None:
    """What the program declared last; None where it declares nothing, or that cannot be read."""
    declared: Any = row.declared
    whole = row.declared_as is not None and isinstance(declared, dict) and declared.keys() >= set(FIELDS)
    return {name: declared[name] for name in FIELDS} if whole else None


def _follow(row: CronJobRow, said: dict[str, Any], now: datetime) -> None:
    if row.declared != said:
        row.declared = said
    if row.deleted_at is not None:
        return
    changed = {
        name: value
        for name, value in said.items()
        if name not in edited_of(row) and getattr(row, name) != value
    }
    for name, value in changed.items():
        setattr(row, name, value)
    if changed:
        row.revision = revision_of(row) + 1
        row.updated_at, row.problem = now, None


async def _one(session: AsyncSession, rule: Any) -> CronJobRow | None:
    row: CronJobRow | None = await session.scalar(select(CronJobRow).where(rule).with_for_update())
    return row
