"""The report of a day."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from shop.database import ShopDatabase
from shop.services import reports
from shop.tasks import DayReport, ReportDay, ReportTasks

__all__ = ["ReportHandlers"]


class ReportHandlers:
    """Runs `ReportTasks`."""

    def __init__(self, database: ShopDatabase, zone: ZoneInfo) -> None:
        self._database = database
        self._zone = zone

    def tasks(self) -> ReportTasks:
        """The task set with its handler, for a worker."""
        return ReportTasks(daily=self.daily)

    async def daily(self, wanted: ReportDay) -> DayReport:
        """Count a day."""
        day = wanted.day or reports.yesterday(self._zone)
        async with self._database.writing() as database:
            made = await reports.make(database, day, self._zone)
        return DayReport(day=made.day, orders=made.orders, revenue=made.revenue)
