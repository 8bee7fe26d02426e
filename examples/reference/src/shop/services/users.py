"""Users."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from shop.errors import Taken
from shop.models import User
from shop.services.passwords import Hashed

__all__ = ["find", "sign_up"]


async def sign_up(database: AsyncSession, *, email: str, name: str, password: Hashed) -> User:
    """Make a user. Raises `Taken` where somebody has this address."""
    user = User(email=email.lower(), name=name, password=password)
    database.add(user)
    try:
        await database.flush()
    except IntegrityError:
        raise Taken(f"{email} has signed up already") from None
    return user


async def find(database: AsyncSession, email: str, *, to_change: bool = False) -> User | None:
    """The user with this address; one that is to change is locked until the transaction ends."""
    found = select(User).where(User.email == email.lower())
    return await database.scalar(found.with_for_update() if to_change else found)
