"""The database: the shop's tables and Corral's, so that one transaction has rows, jobs and announcements."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager

from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from corral.store.connecting import WRITES
from corral.store.database import Database
from corral.tasks.webhooks import Watched, announce_changes
from shop.models import Order

__all__ = ["ShopDatabase"]


class ShopDatabase:
    """One for each process. Connects at its first use; close it at the end."""

    def __init__(self, url: str) -> None:
        self.corral = Database(url)
        """What Corral's own classes are given: the same database."""
        engine = self.corral.engine
        event.listen(engine.sync_engine, "handle_error", _keep_connection)
        self._writing = async_sessionmaker(
            engine.execution_options(**{WRITES: True}),  # for SQLite, which has to hear of it first
            expire_on_commit=False,
        )
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


def _keep_connection(context: ExceptionContext) -> None:
    # A job that is cancelled rolls back, on the connection that it has: to drop it leaves SQLite locked for a while.
    if isinstance(context.original_exception, asyncio.CancelledError):
        context.is_disconnect = False
