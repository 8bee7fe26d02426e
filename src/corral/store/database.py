"""The database: where it is, its transactions, and the migration of its tables."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final, Self

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from corral.errors import CorralError, DatabaseOutdated, DatabaseUnavailable
from corral.store.address import database_url, shown
from corral.store.connecting import WRITES, connecting
from corral.store.migration import upgrade

__all__ = ["Database", "cause_of", "lacks_tables"]

MISSING_SQLITE: Final = ("no such table", "no such column", "has no column")
MISSING_POSTGRES: Final = ("42P01", "42703")
"""What SQLite says where a migration has not been run, and PostgreSQL's codes for it."""


def cause_of(error: DBAPIError) -> str:
    """What the database said, without the statement and its values."""
    return f"{type(error.orig).__name__}: {error.orig}"


def lacks_tables(error: DBAPIError) -> bool:
    """Whether a migration has not been run."""
    code = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None)  # psycopg2's word
    return code in MISSING_POSTGRES or any(sign in cause_of(error) for sign in MISSING_SQLITE)


class Database:
    """The database of cron jobs, tokens and the operator log. Connects at its first use, not when it is made.

    Belongs to one event loop; close it there (`async with`, or `await database.close()`). Its tables begin with
    ``corral_``, so that it may be the database of your application. One database belongs to one Redis or Valkey
    server.

    Args:
        url: `sqlite:///file` or `postgresql://user:password@host/database`; else `CORRAL_DATABASE_URL`, else the
            SQLite file `corral.db` in the working directory. Raises `InvalidOption` for any other.
    """

    def __init__(self, url: str | None = None) -> None:
        found = database_url(url)
        self.address = shown(found)
        """Where it is, without user and password."""
        self._engine = connecting(found)

    def __repr__(self) -> str:
        return f"<Database {self.address}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def engine(self) -> AsyncEngine:
        """SQLAlchemy's engine: for packages of Corral, and for looking into it."""
        return self._engine

    async def migrate(self) -> None:
        """Make the tables, or bring them up to this version. Several processes may do so at once: one of them does,
        the others wait and find it done. Raises `DatabaseUnavailable`."""
        with self._told():
            async with self._engine.execution_options(**{WRITES: True}).begin() as connection:
                await connection.run_sync(upgrade)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A transaction that only reads. Raises `DatabaseUnavailable` and `DatabaseOutdated`."""
        async with self._transaction(self._engine) as session:
            yield session

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """A transaction that writes: stored as a whole at the end of the block, or not at all."""
        async with self._transaction(self._engine.execution_options(**{WRITES: True})) as session:
            yield session

    def sessions(self) -> async_sessionmaker[AsyncSession]:
        """A factory of sessions that write, for an application that has its tables in the same database: one
        transaction has its rows and the jobs of the outbox. Errors are SQLAlchemy's own."""
        writing = self._engine.execution_options(**{WRITES: True})
        return async_sessionmaker(writing, expire_on_commit=False)

    async def close(self) -> None:
        """Close all connections. The database may be used again afterwards."""
        await self._engine.dispose()

    @asynccontextmanager
    async def _transaction(self, engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
        with self._told():
            async with AsyncSession(engine, expire_on_commit=False) as session, session.begin():
                yield session

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Whatever the database raises, as one of Corral's errors; but what breaks a constraint."""
        try:
            yield
        except (CorralError, IntegrityError):
            raise
        except DBAPIError as error:
            if lacks_tables(error):
                raise DatabaseOutdated(self.address, cause_of(error)) from error
            raise DatabaseUnavailable(self.address, cause_of(error)) from error
        except (OSError, PoolTimeout) as error:
            raise DatabaseUnavailable(self.address, f"{type(error).__name__}: {error}") from error
