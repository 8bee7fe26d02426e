"""The table of registered schedules."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from corral.store.tables.row import Row

__all__ = ["RegistrationRow"]


class RegistrationRow(Row):
    """A schedule that may stand for a cron job: written before it is made, deleted after it is removed. So nothing is
    left behind by a cron job that was renamed or deleted, by whatever program, while no worker ran."""

    __tablename__ = "corral_registrations"

    queue: Mapped[str] = mapped_column(String(200), primary_key=True)
    job_id: Mapped[str] = mapped_column(String(200), primary_key=True)
