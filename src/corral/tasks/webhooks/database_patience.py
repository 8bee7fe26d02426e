"""A database that is away: the job waits for it, and spends no attempt."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from corral import Context, Snooze, Unrecoverable
from corral.errors import DatabaseUnavailable, SubscriptionGone

__all__ = ["database_patience"]

NO_DATABASE: Final = 15.0
"""Seconds until a job looks again whether the database is there."""


@contextmanager
def database_patience(ctx: Context) -> Iterator[None]:
    """What asks the database. Raises `Snooze` while it is away, and `Unrecoverable` for a subscription that is gone."""
    try:
        yield
    except SubscriptionGone as error:
        raise Unrecoverable(str(error)) from error
    except DatabaseUnavailable as error:
        ctx.logger.warning("Webhook waits for the database", err=str(error))
        raise Snooze(NO_DATABASE) from error
