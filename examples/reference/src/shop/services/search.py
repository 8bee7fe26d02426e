"""The search: an index of its own, brought up to date behind the orders."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from shop.models import Order, SearchEntry, User

__all__ = ["find", "index"]


async def index(database: AsyncSession, order_id: str) -> None:
    """Bring the entry of an order up to date: it may have changed, or be gone."""
    order = await database.get(Order, order_id)
    if order is None:
        await database.execute(delete(SearchEntry).where(SearchEntry.order_id == order_id))
        return
    words = f"{order.item} {order.note} {order.state}".lower()[:2000]
    await database.merge(SearchEntry(order_id=order_id, user_id=order.user_id, words=words))


async def find(database: AsyncSession, user: User, text: str, *, limit: int = 100) -> list[Order]:
    """The orders of a user in which a text stands."""
    found = (
        select(Order)
        .join(SearchEntry, SearchEntry.order_id == Order.id)
        .where(SearchEntry.user_id == user.id, SearchEntry.words.contains(text.lower(), autoescape=True))
        .order_by(Order.created_at.desc())
        .limit(limit)
    )
    return list(await database.scalars(found))
