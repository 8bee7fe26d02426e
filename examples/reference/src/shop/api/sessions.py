"""Logging in and out."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, HTTPException, status
from pydantic import BaseModel

from shop.api.dependencies import TheParts, TheToken, Transaction
from shop.errors import Refused
from shop.services import sessions

__all__ = ["router"]

router = APIRouter(prefix="/sessions", tags=["sessions"])


class Credentials(BaseModel):
    """Who wants to log in."""

    email: str
    password: str


class Token(BaseModel):
    """What to send as `Authorization: Bearer …`."""

    token: str


@router.post("", status_code=status.HTTP_201_CREATED)
async def log_in(credentials: Credentials, database: Transaction, parts: TheParts) -> Token:
    """Begin a session."""
    lasts = timedelta(hours=parts.settings.session_hours)
    try:
        token = await sessions.log_in(
            database, email=credentials.email, password=credentials.password, lasts=lasts
        )
    except Refused as refusal:
        raise HTTPException(status.HTTP_401_UNAUTHORIZED, str(refusal)) from None
    return Token(token=token)


@router.delete("", status_code=status.HTTP_204_NO_CONTENT)
async def log_out(token: TheToken, database: Transaction) -> None:
    """End it. What has ended by itself is removed by a cron job."""
    await sessions.log_out(database, token)
