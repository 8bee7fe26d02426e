"""Where the database is."""

from __future__ import annotations

import pytest

from corral.errors import InvalidOption
from corral.store.address import database_url, shown
from corral.store.database import Database


def test_argument_then_variable_then_file() -> None:
    """An argument wins over `CORRAL_DATABASE_URL`, and that over the file `corral.db` in the working directory."""
    variable = {"CORRAL_DATABASE_URL": "sqlite:///variable.db"}
    assert database_url("sqlite:///given.db", environ=variable).database == "given.db"
    assert database_url(environ=variable).database == "variable.db"
    assert database_url(environ={}).database == "corral.db"


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("sqlite:///x.db", "sqlite+aiosqlite"),
        ("sqlite+aiosqlite:///x.db", "sqlite+aiosqlite"),
        ("postgres://host/x", "postgresql+asyncpg"),
        ("postgresql://host/x", "postgresql+asyncpg"),
        ("postgresql+asyncpg://host/x", "postgresql+asyncpg"),
    ],
)
def test_plain_urls_get_their_drivers(url: str, driver: str) -> None:
    """URLs as other programs have them will do: the asynchronous driver is added."""
    assert database_url(url).drivername == driver


def test_sslmode_is_said_in_the_drivers_word() -> None:
    """`sslmode`, as PostgreSQL's own programs and hosts write it, becomes what asyncpg calls it."""
    assert dict(database_url("postgresql://host/x?sslmode=require&application_name=a").query) == {
        "application_name": "a",
        "ssl": "require",
    }


@pytest.mark.parametrize(
    "url", ["mysql://me:hunter2@host/x", "postgresql+psycopg2://me:hunter2@host/x", "hunter2"]
)
def test_other_urls_are_refused_without_their_password(url: str) -> None:
    """Another database, another driver, and what is no URL at all: told what would do, without password."""
    with pytest.raises(InvalidOption) as caught:
        Database(url)
    assert "hunter2" not in str(caught.value)
    assert "give sqlite:///file or postgresql://" in str(caught.value)


def test_no_password_is_shown() -> None:
    """Neither the database's repr nor its address has user, password or query."""
    url = "postgresql://me:hunter2@host:5433/x?password=hunter2"
    database = Database(url)
    assert repr(database) == "<Database postgresql://host:5433/x>"
    assert shown(database_url(url)) == database.address
    assert "hunter2" not in repr(database.engine)
