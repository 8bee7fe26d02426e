"""What endpoints ask for: `Depends` gives it to them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, HTTPException, Request, status
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.ext.asyncio import AsyncSession

from corral.store.roles import Role
from corral.store.tokens import Tokens
from corral.tasks.webhooks import Webhooks
from shop.database import ShopDatabase
from shop.models import User
from shop.services import sessions
from shop.settings import Settings

__all__ = ["ForOperators", "Parts", "Reading", "TheParts", "TheToken", "TheUser", "Transaction"]


@dataclass(frozen=True)
class Parts:
    """What the API is made of, beside the client: that is `corral.frameworks.fastapi.InjectedClient`."""

    settings: Settings
    database: ShopDatabase
    webhooks: Webhooks


def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


TheParts = Annotated[Parts, Depends(_parts)]


async def _transaction(parts: TheParts) -> AsyncIterator[AsyncSession]:
    async with parts.database.writing() as session:
        yield session


async def _reading(parts: TheParts) -> AsyncIterator[AsyncSession]:
    async with parts.database.reading() as session:
        yield session


Reading = Annotated[AsyncSession, Depends(_reading)]
"""For endpoints that only look."""


# The scope: committed before the answer is sent, so that 202 means stored.
Transaction = Annotated[AsyncSession, Depends(_transaction, scope="function")]
"""One for each request: stored when the endpoint returns, rolled back when it raises, and its jobs with it."""

_Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]


def _token(bearer: _Bearer) -> str:
    if bearer is None:
        raise HTTPException(status.HTTP_401_UNAUTHORIZED, "log in: POST /sessions")
    return bearer.credentials


TheToken = Annotated[str, Depends(_token)]


async def _user(token: TheToken, parts: TheParts) -> User:
    # A transaction of its own: a request that kept it would wait with one connection for another.
    async with parts.database.reading() as database:
        user = await sessions.user_of(database, token)
    if user is None:
        raise HTTPException(status.HTTP_401_UNAUTHORIZED, "the session has ended: POST /sessions")
    return user


TheUser = Annotated[User, Depends(_user)]


async def _operator(bearer: _Bearer, parts: TheParts) -> None:
    known = await Tokens(parts.database.corral).verify(bearer.credentials if bearer else "")
    if known is None:
        raise HTTPException(status.HTTP_401_UNAUTHORIZED, "this takes the token of an operator")
    if not known.role.includes(Role.OPERATOR):
        raise HTTPException(status.HTTP_403_FORBIDDEN, f"this takes the role operator, not {known.role}")


ForOperators = Depends(_operator)
"""What is for no customer: it takes a token of the admin API (`corral token create --role operator`)."""
