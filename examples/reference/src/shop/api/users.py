"""Signing up."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, status
from pydantic import BaseModel, EmailStr, Field

from corral.store.outbox import outbox
from corral.tasks.audit import Audited, AuditTasks
from corral.tasks.email import EmailTasks, Welcome
from shop.api.accepted import Accepted
from shop.api.dependencies import TheParts, Transaction
from shop.services import users

__all__ = ["Name", "NewUser", "Password", "router"]

router = APIRouter(prefix="/users", tags=["users"])

Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]
Password = Annotated[str, Field(min_length=10, max_length=200)]


class NewUser(BaseModel):
    """Somebody who signs up."""

    email: EmailStr
    name: Name
    password: Password


@router.post("", status_code=status.HTTP_202_ACCEPTED)
async def sign_up(new: NewUser, database: Transaction, parts: TheParts) -> Accepted:
    """Make a user, and greet them. User and mail are one transaction: there is both, or neither."""
    user = await users.sign_up(database, email=new.email, name=new.name, password=new.password)
    welcome = Welcome(to=user.email, name=user.name, product="Shop", link=parts.settings.public_url)
    signed_up = Audited(
        org="shop", actor=user.id, action="user.sign-up", resource_type="user", resource_id=user.id
    )
    jobs = outbox(database)
    return Accepted.of(
        user.id,
        await EmailTasks.welcome.enqueue(jobs, welcome, job_id=f"welcome-email:{user.id}"),
        await AuditTasks.record.enqueue(jobs, signed_up),
    )
