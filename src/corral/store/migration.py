"""Migrations: Alembic's, shipped with the package, so that no file of the user's is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlalchemy.engine import Connection

__all__ = ["VERSION_TABLE", "downgrade", "upgrade"]

VERSION_TABLE: Final = "corral_version"
"""Not Alembic's own name: the application whose database this is may use Alembic too."""

SCRIPTS: Final = Path(__file__).with_name("migrations")

LOCK: Final = 0x636F7272616C  # "corral"
"""The advisory lock that a migration holds on PostgreSQL. On SQLite the transaction itself excludes others."""


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Bring the tables up to a revision, in the transaction of ``connection``."""
    command.upgrade(_locked(connection), revision)


def downgrade(connection: Connection, revision: str) -> None:
    """Go back to an earlier revision; ``base`` is none at all."""
    command.downgrade(_locked(connection), revision)


def _locked(connection: Connection) -> Config:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    return config
