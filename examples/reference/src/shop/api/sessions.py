"""Logging in and out."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, HTTPException, status
from pydantic import BaseModel, Field

from shop.api.dependencies import TheParts, TheToken, Transaction
from shop.api.texts import Address, Text
from shop.services import passwords, sessions

__all__ = ["router"]

router = APIRouter(prefix="/sessions", tags=["sessions"])


class Credentials(BaseModel):
    """Who wants to log in."""

    email: Address
    password: Text = Field(max_length=200)


class Token(BaseModel):
    """What to send as `Authorization: Bearer …`."""

    token: str


@router.post("", status_code=status.HTTP_201_CREATED)
async def log_in(credentials: Credentials, parts: TheParts) -> Token:
    """Begin a session. Two transactions, and between them the password, for which none should wait."""
    async with parts.database.writing() as database:
        user = await sessions.attempt(database, credentials.email)
    right = await passwords.matches(credentials.password, user.password if user else None)
    if user is None or not right:
        raise HTTPException(status.HTTP_401_UNAUTHORIZED, "no user has this address and this password")
    async with parts.database.writing() as database:
        lasts = timedelta(hours=parts.settings.session_hours)
        return Token(token=await sessions.begin(database, user, lasts=lasts))


@router.delete("", status_code=status.HTTP_204_NO_CONTENT)
async def log_out(token: TheToken, database: Transaction) -> None:
    """End it. What has ended by itself is removed by a cron job."""
    await sessions.end(database, token)
