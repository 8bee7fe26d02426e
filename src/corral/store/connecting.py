"""SQLAlchemy's engine, set up for each kind of database."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from corral.store.unreadable import read_json

__all__ = ["WRITES", "connecting"]

WRITES: Final = "corral_writes"
"""The execution option of transactions that will write."""

BUSY_MS: Final = 15_000
"""How long SQLite waits for another writer. Longer than a call to Redis may take, which a registrar makes meanwhile."""


def connecting(url: URL) -> AsyncEngine:
    """An engine that connects at its first use. What it says of a failed statement holds none of its values."""
    options: dict[str, Any] = {
        "hide_parameters": True,
        "json_deserializer": read_json,
        "json_serializer": partial(json.dumps, allow_nan=False, separators=(",", ":")),
    }
    if url.get_backend_name() == "postgresql":
        connect = {"timeout": 10, "command_timeout": 60}
        return create_async_engine(url, pool_pre_ping=True, connect_args=connect, **options)
    in_memory = url.database in (None, "", ":memory:")
    size = {"pool_size": 1, "max_overflow": 0} if in_memory else {}
    engine = create_async_engine(url, poolclass=AsyncAdaptedQueuePool, **size, **options)
    event.listen(engine.sync_engine, "do_connect", lambda *_: _check_folder(url.database, in_memory))
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    event.listen(engine.sync_engine, "handle_error", _keep_connection)
    return engine


def _check_folder(database: str | None, in_memory: bool) -> None:
    # SQLite would say only that it cannot open the file, and aiosqlite leave a thread behind.
    if database and not in_memory and not Path(database).absolute().parent.is_dir():
        raise FileNotFoundError(f"there is no folder {Path(database).absolute().parent}")


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin below, not where Python's driver thinks fit
    connection.driver_connection.text_factory = partial(str, encoding="utf-8", errors="replace")
    cursor = connection.cursor()
    for pragma in (f"busy_timeout = {BUSY_MS}", "journal_mode = WAL", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later cannot wait for another writer: it has to say so at its start.
    writes = connection.get_execution_options().get(WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _keep_connection(context: ExceptionContext) -> None:
    # A cancelled statement runs on in the driver's thread, and the rollback behind it. A connection that is dropped
    # instead is closed only some time later, and keeps the whole database locked until then.
    if isinstance(context.original_exception, asyncio.CancelledError):
        context.is_disconnect = False
