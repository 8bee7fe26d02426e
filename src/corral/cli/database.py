"""Opening the database for a verb: of tokens, cron jobs, the operator log."""

from __future__ import annotations

import importlib.util
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import typer

from corral.cli.failure import SETUP
from corral.cli.loop import run
from corral.cli.output import remark

if TYPE_CHECKING:
    from corral.store.database import Database

__all__ = ["with_database"]

T = TypeVar("T")


def with_database(database_url: str | None, act: Callable[[Database], Awaitable[T]]) -> T:
    """Carry out a verb on the database, whose tables are brought up to date first."""
    if importlib.util.find_spec("sqlalchemy") is None:
        remark("error: the database needs sqlalchemy: pip install 'corral[store]'", "bold red")
        raise typer.Exit(SETUP)
    from corral.store.database import Database

    async def opened() -> T:
        async with Database(database_url) as database:
            await database.migrate()
            return await act(database)

    return run(opened())
