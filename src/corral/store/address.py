"""Where the database is: an argument, else `CORRAL_DATABASE_URL`, else a SQLite file in the working directory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from corral.engine.settings import without_password
from corral.errors import InvalidOption

__all__ = ["DEFAULT_URL", "database_url", "shown"]

DEFAULT_URL: Final = "sqlite:///corral.db"

DRIVERS: Final = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}

WANTED: Final = "give sqlite:///file or postgresql://user:password@host/database"


def database_url(url: str | None = None, *, environ: Mapping[str, str] | None = None) -> URL:
    """The URL with its driver. Raises `InvalidOption`, which shows no password.

    Taken are `sqlite:///file`, `sqlite:////absolute/file` and `postgresql://user:password@host/database`, with
    `sslmode` as PostgreSQL's own programs have it.
    """
    found = url or (os.environ if environ is None else environ).get("CORRAL_DATABASE_URL") or DEFAULT_URL
    try:
        parsed = make_url(found)
    except (ArgumentError, ValueError):
        raise InvalidOption("database url", without_password(found), f"it cannot be read: {WANTED}") from None
    driver = DRIVERS.get(parsed.drivername)
    if driver is None:
        raise InvalidOption("database url", without_password(found), f"{WANTED}, without another driver")
    if "sslmode" in parsed.query:  # what asyncpg calls ssl
        mode = parsed.query["sslmode"]
        parsed = parsed.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})
    return parsed.set(drivername=driver)


def shown(url: URL) -> str:
    """The URL as it may be shown: without driver, user, password and query."""
    return without_password(url.set(drivername=url.get_backend_name()).render_as_string(hide_password=True))
