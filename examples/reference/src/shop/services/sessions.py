"""Who is logged in, and who tries to be."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from shop.errors import TooMany
from shop.models import LogInAttempt, Session, User, now
from shop.services import users
from shop.services.tokens import digest, new_token

__all__ = ["attempt", "begin", "end", "user_of"]

ATTEMPTS: Final = 10
WINDOW: Final = timedelta(minutes=15)
"""So many log-ins of one address may fail in so long."""


async def attempt(database: AsyncSession, email: str) -> User | None:
    """Count a log-in, and find its user. Raises `TooMany`.

    Counted before the password is looked at, and with the user locked: a hundred guesses at once are a hundred.
    """
    user = await users.find(database, email, to_change=True)
    latest = (
        select(LogInAttempt.at)
        .where(LogInAttempt.email == email, LogInAttempt.at > now() - WINDOW)
        .order_by(LogInAttempt.at.desc())
        .limit(ATTEMPTS)
    )
    times = list(await database.scalars(latest))
    if len(times) == ATTEMPTS:
        raise TooMany(
            "too many log-ins of this address have failed: wait", retry_after=times[-1] + WINDOW - now()
        )
    database.add(LogInAttempt(email=email))
    return user


async def begin(database: AsyncSession, user: User, *, lasts: timedelta) -> str:
    """Begin a session of somebody whose password was right; its token is shown this once."""
    token = new_token()
    database.add(Session(id=digest(token), user_id=user.id, expires_at=now() + lasts))
    await database.execute(delete(LogInAttempt).where(LogInAttempt.email == user.email))
    return token


async def end(database: AsyncSession, token: str) -> None:
    """End a session."""
    await database.execute(delete(Session).where(Session.id == digest(token)))


async def user_of(database: AsyncSession, token: str) -> User | None:
    """Whose token it is; None when it is nobody's, or no longer."""
    return await database.scalar(
        select(User)
        .join(Session, Session.user_id == User.id)
        .where(Session.id == digest(token), Session.expires_at > now())
    )
