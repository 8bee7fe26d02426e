"""Who asks, and what they may do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from corral.http.problem import Problem
from corral.store.roles import Role
from corral.store.tokens import Tokens

__all__ = [
    "Authenticate",
    "Principal",
    "ThePrincipal",
    "Tokens",
    "bearer",
    "by_token",
    "check_role",
    "requires",
]


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who was recognised."""

    name: str
    """As the operator log calls them."""
    role: Role


Authenticate = Callable[[HTTPConnection], Awaitable[Principal | None]]
"""Recognises who sent a request; None when it is nobody that is known."""


def by_token(tokens: Tokens) -> Authenticate:
    """Recognise people and programs by their bearer tokens."""

    async def authenticate(connection: HTTPConnection) -> Principal | None:
        secret = bearer(connection)
        token = None if secret is None else await tokens.verify(secret)
        return None if token is None else Principal(token.name, token.role)

    return authenticate


def bearer(connection: HTTPConnection) -> str | None:
    """The token of a request, if it has one."""
    scheme, _, secret = connection.headers.get("authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" and secret.strip() else None


def principal(request: Request) -> Principal:
    """Whom the gate has let in."""
    found: Principal = request.scope["corral.principal"]
    return found


ThePrincipal = Annotated[Principal, Depends(principal)]


def check_role(who: Principal, role: Role) -> None:
    """Raise `Problem` 403 if somebody may not do what takes this role."""
    if not who.role.includes(role):
        raise Problem(
            403, "not-allowed", f"this takes the role {role}, and {who.name} is {who.role}", role=role.value
        )


def requires(role: Role) -> Any:
    """A dependency of routes that take a role. Raises `Problem` 403."""

    def check(who: ThePrincipal) -> None:
        check_role(who, role)

    return Depends(check)
