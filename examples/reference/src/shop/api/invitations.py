"""Inviting somebody: an id that makes one mail of many requests, and one that makes a new mail of each."""

from __future__ import annotations

from fastapi import APIRouter, status
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from corral.store.outbox import outbox
from corral.tasks.email import EmailTasks, Invitation
from shop.api.accepted import Accepted, JobRef
from shop.api.dependencies import Parts, TheParts, TheUser, Transaction
from shop.api.texts import Address, Text
from shop.models import User
from shop.services import invitations
from shop.services.invitations import Invited

__all__ = ["router"]

router = APIRouter(prefix="/invitations", tags=["invitations"])


class NewInvitation(BaseModel):
    """Who is asked to join."""

    email: Address


@router.post("", status_code=status.HTTP_202_ACCEPTED)
async def invite(new: NewInvitation, user: TheUser, database: Transaction, parts: TheParts) -> Accepted:
    """Invite somebody. Sent twice, it is one invitation and one mail; once that has expired, a new link and mail."""
    return await _mailed(database, parts, user, await invitations.invite(database, user, new.email))


@router.post("/{invitation_id}/resend", status_code=status.HTTP_202_ACCEPTED)
async def resend(invitation_id: Text, user: TheUser, database: Transaction, parts: TheParts) -> Accepted:
    """Send a mail again. It was asked for, so it is another job, and its link is the one that counts."""
    return await _mailed(database, parts, user, await invitations.resend(database, user, invitation_id))


async def _mailed(database: AsyncSession, parts: Parts, inviter: User, invited: Invited) -> Accepted:
    """The id of the job follows from the invitation and the number of the mail: one mail, one job."""
    invitation, token = invited
    job_id = f"invite-email:{invitation.id}:{invitation.sends}"
    if token is None:
        return Accepted(id=invitation.id, jobs=[JobRef(queue=EmailTasks.queue, job_id=job_id)])
    mail = Invitation(
        to=invitation.email,
        inviter=inviter.name,
        organisation="Shop",
        link=f"{parts.settings.public_url}/invitations/{token}",
        expires_at=invitation.expires_at,
    )
    job = await EmailTasks.invitation.enqueue(outbox(database), mail, job_id=job_id)
    return Accepted.of(invitation.id, job)
