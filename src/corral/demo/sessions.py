"""The sessions of the product's users, in SQLite. Blocking: the worker runs it in a thread."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from corral.demo.contract import Cutoff, Deleted

__all__ = ["Sessions"]


class Sessions:
    """The table of sessions in one database file."""

    def __init__(self, database: Path) -> None:
        self._database = database

    def create(self, ends: list[datetime]) -> None:
        """Make the table, with a session for each end."""
        with closing(sqlite3.connect(self._database)) as connection, connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS sessions (id INTEGER PRIMARY KEY, ends TEXT NOT NULL)"
            )
            connection.executemany(
                "INSERT INTO sessions (ends) VALUES (?)", [(end.isoformat(),) for end in ends]
            )

    def count(self) -> int:
        """How many there are."""
        with closing(sqlite3.connect(self._database)) as connection:
            return int(connection.execute("SELECT count(*) FROM sessions").fetchone()[0])

    def delete_expired(self, cutoff: Cutoff) -> Deleted:
        """Delete those that ended before the cutoff. To run it twice does no harm."""
        with closing(sqlite3.connect(self._database, timeout=10)) as connection, connection:
            before = cutoff.before.isoformat()
            deleted = connection.execute("DELETE FROM sessions WHERE ends < ?", (before,)).rowcount
        return Deleted(deleted=deleted, kept=self.count())
