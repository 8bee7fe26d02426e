"""A day of the shop in numbers."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from shop.models import Order, OrderState, Report

__all__ = ["make", "yesterday"]


def yesterday(zone: ZoneInfo) -> date:
    """The day that has ended, by the clock of a zone."""
    return datetime.now(zone).date() - timedelta(days=1)


async def make(database: AsyncSession, day: date, zone: ZoneInfo) -> Report:
    """Count a day. Made twice it is the same report."""
    begin, end = (datetime.combine(each, time(), zone) for each in (day, day + timedelta(days=1)))
    counted = select(func.count(), func.coalesce(func.sum(Order.total), 0)).where(
        Order.created_at >= begin, Order.created_at < end, Order.state == OrderState.SHIPPED
    )
    orders, revenue = (await database.execute(counted)).one()
    return await database.merge(Report(day=day, orders=orders, revenue=int(revenue)))
