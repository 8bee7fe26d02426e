"""Invitations: a mail with a link, that may be asked for again."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from shop.errors import NotFound, Taken
from shop.models import Invitation, User, now
from shop.services import users
from shop.services.passwords import Hashed
from shop.services.tokens import digest, new_token

__all__ = ["Invited", "accept", "find", "invite", "resend"]

LASTS: Final = timedelta(days=7)


class Invited(NamedTuple):
    """An invitation, and what its link ends with."""

    invitation: Invitation
    token: str | None
    """For the mail, and shown this once. None: the mail has been asked for already."""


async def invite(database: AsyncSession, inviter: User, email: str) -> Invited:
    """Invite somebody. Who was invited already, be it in this moment, has the same invitation; one that has expired is
    made new, once. Raises `Taken` for who has joined."""
    if await users.find(database, email) is not None:
        raise Taken(f"{email} has signed up already")
    token = new_token()
    invitation = Invitation(
        email=email.lower(), inviter_id=inviter.id, digest=digest(token), expires_at=now() + LASTS
    )
    try:
        async with database.begin_nested():
            database.add(invitation)
    except IntegrityError:
        there = select(Invitation).where(Invitation.email == email.lower()).with_for_update()
        found = await database.scalar(there)
        if found is None:
            raise Taken(f"{email} has accepted in this moment") from None
        return Invited(found, None) if found.expires_at > now() else _renew(found, inviter)
    return Invited(invitation, token)


async def resend(database: AsyncSession, inviter: User, invitation_id: str) -> Invited:
    """Make it new, for one more mail. Raises `NotFound`."""
    found = await database.get(Invitation, invitation_id, with_for_update=True)
    if found is None or found.inviter_id != inviter.id:
        raise NotFound("there is no such invitation of yours")
    return _renew(found, inviter)


async def find(database: AsyncSession, token: str) -> Invitation:
    """The invitation that a link is of. Raises `NotFound`."""
    there = select(Invitation).where(Invitation.digest == digest(token), Invitation.expires_at > now())
    found = await database.scalar(there)
    if found is None:
        raise NotFound("there is no such invitation, or no longer")
    return found


async def accept(database: AsyncSession, token: str, *, name: str, password: Hashed) -> User:
    """Make the user that was invited. Raises `NotFound` and `Taken`."""
    found = await find(database, token)
    user = await users.sign_up(database, email=found.email, name=name, password=password)
    await database.delete(found)
    return user


def _renew(invitation: Invitation, inviter: User) -> Invited:
    """Another week, and another link: the one before it is worth nothing from now on, for nobody knows it any more."""
    token = new_token()
    invitation.digest = digest(token)
    invitation.inviter_id = inviter.id
    invitation.sends += 1
    invitation.expires_at = now() + LASTS
    return Invited(invitation, token)
