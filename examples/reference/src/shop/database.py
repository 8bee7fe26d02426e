"""The database of the shop, and of what Corral keeps beside it."""

from __future__ import annotations

import asyncio

from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext

from corral.store.database import Database

__all__ = ["open_database"]


def open_database(url: str) -> Database:
    """One for each process. Connects at its first use."""
    database = Database(url)
    event.listen(database.engine.sync_engine, "handle_error", _keep_connection)
    return database


def _keep_connection(context: ExceptionContext) -> None:
    # A job that is cancelled rolls back, on the connection that it has: to drop it leaves SQLite locked for a while.
    if isinstance(context.original_exception, asyncio.CancelledError):
        context.is_disconnect = False
