"""The database: the shop's tables and Corral's, so that one transaction has rows, jobs and announcements."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from sqlalchemy.ext.asyncio import AsyncSession

from corral.store.database import Database
from corral.tasks.webhooks import Watched, announce_changes
from shop.models import Order

__all__ = ["ShopDatabase"]


class ShopDatabase:
    """One for each process. Connects at its first use; close it at the end."""

    def __init__(self, url: str) -> None:
        self.corral = Database(url)
        """What Corral's own classes are given: the same database."""
        self._writing = self.corral.sessions()
        announce_changes(self._writing, {Order: ORDERS})

    def reading(self) -> AbstractAsyncContextManager[AsyncSession]:
        """A transaction that only reads."""
        return self.corral.reading()

    def writing(self) -> AbstractAsyncContextManager[AsyncSession]:
        """A transaction that writes: all of it is stored at the end of the block, or nothing."""
        return self._writing.begin()

    async def close(self) -> None:
        """Close all connections."""
        await self.corral.close()


ORDERS = Watched(
    resource="order",
    data=lambda order: {"item": order.item, "quantity": order.quantity, "state": order.state},
    owner=lambda order: order.user_id,
    columns=[Order.state, Order.note],
)
"""Whoever subscribed hears of each change of their own orders, by the transaction that makes it."""
