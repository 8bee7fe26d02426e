"""The table of cron jobs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from corral.store.tables.row import Row

__all__ = ["CronJobRow"]


class CronJobRow(Row):
    """A cron job. Its values are what holds; beside them stands what the program declares of it."""

    __tablename__ = "corral_cron_jobs"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    job_id: Mapped[str] = mapped_column(String(200), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    pattern: Mapped[str] = mapped_column(String(1000))
    handler: Mapped[str] = mapped_column(String(200))
    payload: Mapped[Any] = mapped_column(JSON)
    enabled: Mapped[bool]
    max_attempts: Mapped[int] = mapped_column(BigInteger)
    backoff_ms: Mapped[int] = mapped_column(BigInteger)
    tz: Mapped[str] = mapped_column(String(100), server_default="UTC")
    queue: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    revision: Mapped[int] = mapped_column(BigInteger, server_default="1")
    problem: Mapped[str | None] = mapped_column(String(1000))
    """Why it could not be registered, the last time that a worker tried."""
    declared_as: Mapped[str | None] = mapped_column(String(200), unique=True)
    """The job id under which the program declares it. None for one that only an operator made."""
    declared: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """What the program said last, field by field."""
    edited: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    """The fields that an operator has set since: these the program does not overwrite."""
    deleted_at: Mapped[datetime | None]
    """A declared cron job that an operator deleted stays, unseen, so that the program does not bring it back."""
