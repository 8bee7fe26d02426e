"""Inviting somebody: an id that makes one mail of many requests, and one that makes a new mail of each."""

from __future__ import annotations

from fastapi import APIRouter, status
from pydantic import BaseModel, EmailStr
from sqlalchemy.ext.asyncio import AsyncSession

from corral import OutboxReceipt
from corral.store.outbox import outbox
from corral.tasks.email import EmailTasks, Invitation
from shop import models
from shop.api.accepted import Accepted
from shop.api.dependencies import Parts, TheParts, TheUser, Transaction
from shop.api.users import Name, Password
from shop.services import invitations

__all__ = ["router"]

router = APIRouter(prefix="/invitations", tags=["invitations"])


class NewInvitation(BaseModel):
    """Who is asked to join."""

    email: EmailStr


@router.post("", status_code=status.HTTP_202_ACCEPTED)
async def invite(new: NewInvitation, user: TheUser, database: Transaction, parts: TheParts) -> Accepted:
    """Invite somebody. Sent twice, it is one invitation and one mail: the job's id follows from the invitation."""
    invitation = await invitations.invite(database, user, new.email)
    job_id = f"invite-email:{invitation.id}"
    return Accepted.of(invitation.id, await _send(database, parts, user, invitation, job_id))


@router.post("/{invitation_id}/resend", status_code=status.HTTP_202_ACCEPTED)
async def resend(invitation_id: str, user: TheUser, database: Transaction, parts: TheParts) -> Accepted:
    """Send the mail again. It was asked for, so it is another job: the count is a part of its id."""
    invitation = await invitations.resend(database, user, invitation_id)
    job_id = f"invite-email:{invitation.id}:{invitation.sends}"
    return Accepted.of(invitation.id, await _send(database, parts, user, invitation, job_id))


class Acceptance(BaseModel):
    """Somebody who joins."""

    name: Name
    password: Password


@router.post("/{token}/acceptance", status_code=status.HTTP_201_CREATED)
async def accept(token: str, joining: Acceptance, database: Transaction) -> Accepted:
    """Become a user."""
    user = await invitations.accept(database, token, name=joining.name, password=joining.password)
    return Accepted.of(user.id)


async def _send(
    database: AsyncSession, parts: Parts, inviter: models.User, invitation: models.Invitation, job_id: str
) -> OutboxReceipt:
    mail = Invitation(
        to=invitation.email,
        inviter=inviter.name,
        organisation="Shop",
        link=f"{parts.settings.public_url}/invitations/{invitation.token}",
        expires_at=invitation.expires_at,
    )
    return await EmailTasks.invitation.enqueue(outbox(database), mail, job_id=job_id)
