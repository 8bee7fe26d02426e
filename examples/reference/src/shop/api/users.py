"""Signing up."""

from __future__ import annotations

from fastapi import APIRouter, status
from pydantic import BaseModel, Field

from corral.store.outbox import outbox
from corral.tasks.audit import Audited, AuditTasks
from corral.tasks.email import EmailTasks, Welcome
from shop.api.accepted import Accepted
from shop.api.dependencies import TheParts
from shop.api.texts import Address, Text
from shop.services import passwords, users

__all__ = ["Joining", "NewUser", "router"]

router = APIRouter(prefix="/users", tags=["users"])


class Joining(BaseModel):
    """Somebody who becomes a user."""

    name: Text = Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f\x85\u2028\u2029]*$")
    password: Text = Field(min_length=10, max_length=200)


class NewUser(Joining):
    """Somebody who signs up."""

    email: Address


@router.post("", status_code=status.HTTP_202_ACCEPTED)
async def sign_up(new: NewUser, parts: TheParts) -> Accepted:
    """Make a user, and greet them. User and mail are one transaction: there is both, or neither."""
    password = await passwords.hashed(new.password)  # before the transaction: nobody has to wait for it
    async with parts.database.writing() as database:
        user = await users.sign_up(database, email=new.email, name=new.name, password=password)
        link = f"{parts.settings.public_url}/docs"
        welcome = Welcome(to=user.email, name=user.name, product="Shop", link=link)
        signed_up = Audited(
            org="shop", actor=user.id, action="user.sign-up", resource_type="user", resource_id=user.id
        )
        jobs = outbox(database)
        return Accepted.of(
            user.id,
            await EmailTasks.welcome.enqueue(jobs, welcome, job_id=f"welcome-email:{user.id}"),
            await AuditTasks.record.enqueue(jobs, signed_up),
        )
