"""Invitations: a mail with a link, that may be asked for again."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from shop.errors import NotFound
from shop.models import Invitation, User, now
from shop.services import users

__all__ = ["accept", "invite", "resend"]

LASTS: Final = timedelta(days=7)


async def invite(database: AsyncSession, inviter: User, email: str) -> Invitation:
    """Invite somebody. Who was invited already, be it in this moment, has the same invitation."""
    invitation = Invitation(email=email.lower(), inviter_id=inviter.id, expires_at=now() + LASTS)
    try:
        async with database.begin_nested():
            database.add(invitation)
    except IntegrityError:
        there = select(Invitation).where(Invitation.email == email.lower())
        return (await database.scalars(there)).one()
    return invitation


async def resend(database: AsyncSession, inviter: User, invitation_id: str) -> Invitation:
    """Count one more mail, with a new week. Raises `NotFound`."""
    found = await database.get(Invitation, invitation_id, with_for_update=True)
    if found is None or found.inviter_id != inviter.id:
        raise NotFound("there is no such invitation of yours")
    found.sends += 1
    found.expires_at = now() + LASTS
    await database.flush()
    return found


async def accept(database: AsyncSession, token: str, *, name: str, password: str) -> User:
    """Make the user that was invited. Raises `NotFound` and `Taken`."""
    found = await database.scalar(
        select(Invitation).where(Invitation.token == token, Invitation.expires_at > now())
    )
    if found is None:
        raise NotFound("there is no such invitation, or no longer")
    user = await users.sign_up(database, email=found.email, name=name, password=password)
    await database.delete(found)
    return user
