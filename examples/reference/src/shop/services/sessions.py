"""Who is logged in."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from shop.errors import Refused
from shop.models import Session, User, now
from shop.services import passwords, users

__all__ = ["log_in", "log_out", "user_of"]

NOBODY = f"{'00' * 16}:{'00' * 64}"
"""No password has this hash; it takes as long to find out as for one who is there."""


async def log_in(database: AsyncSession, *, email: str, password: str, lasts: timedelta) -> str:
    """Begin a session; its token is shown this once. Raises `Refused`."""
    user = await users.find(database, email)
    right = await passwords.matches(password, user.password if user else NOBODY)
    if user is None or not right:
        raise Refused("no user has this address and this password")
    token = secrets.token_urlsafe(32)
    database.add(Session(id=_digest(token), user_id=user.id, expires_at=now() + lasts))
    return token


async def log_out(database: AsyncSession, token: str) -> None:
    """End a session."""
    await database.execute(delete(Session).where(Session.id == _digest(token)))


async def user_of(database: AsyncSession, token: str) -> User | None:
    """Whose token it is; None when it is nobody's, or no longer."""
    return await database.scalar(
        select(User)
        .join(Session, Session.user_id == User.id)
        .where(Session.id == _digest(token), Session.expires_at > now())
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
