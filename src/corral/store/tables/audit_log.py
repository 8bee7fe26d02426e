"""The table of the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from corral.store.tables.row import Row

__all__ = ["AuditRow"]


class AuditRow(Row):
    """What somebody did in the product. ``job`` and ``at`` are those of the job that brought it: once for each."""

    __tablename__ = "corral_audit_log"
    __table_args__ = (
        UniqueConstraint("job", "at", name="uq_corral_audit_log_job"),
        Index("ix_corral_audit_log_org", "org", "id"),
        Index("ix_corral_audit_log_at", "at"),
    )

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    at: Mapped[datetime]
    job: Mapped[str] = mapped_column(String(500))
    org: Mapped[str] = mapped_column(String(200))
    actor: Mapped[str] = mapped_column(String(200))
    actor_type: Mapped[str] = mapped_column(String(20))
    action: Mapped[str] = mapped_column(String(200))
    resource_type: Mapped[str] = mapped_column(String(200))
    resource_id: Mapped[str] = mapped_column(String(500))
    detail: Mapped[Any] = mapped_column(JSON)
