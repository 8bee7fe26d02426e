"""Tokens: what programs and people show to the API."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import or_, select, update

from corral.client.ids import new_job_id
from corral.contracts.arguments import whole
from corral.contracts.duration import instant_ms
from corral.errors import InvalidOption
from corral.store.database import Database
from corral.store.roles import Role
from corral.store.tables import TokenRow
from corral.store.texts import label, storable

__all__ = ["Token", "Tokens"]

PREFIX: Final = "corral_"
SECRET_BYTES: Final = 32
LENGTH: Final = len(PREFIX) + 43
USE_NOTED_EVERY: Final = timedelta(minutes=1)

Listed = list["Token"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token, as it is stored: without its text, which nobody knows but its owner. Times are UTC."""

    id: str
    name: str
    role: Role
    created_at: datetime
    last_used_at: datetime | None
    """To the minute."""
    expires_at: datetime | None
    revoked_at: datetime | None

    def is_valid(self, now: datetime) -> bool:
        """Whether it is worth something: neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


def _now() -> datetime:
    return datetime.now(UTC)


class Tokens:
    """Makes, checks and revokes tokens.

    A token is 256 random bits; stored is the SHA-256 of its text, by which it is found. So the database does not hold
    what would open the door, and how long a look-up takes says nothing about any token. Every verb raises
    `DatabaseUnavailable` or `DatabaseOutdated`.
    """

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = _now) -> None:
        self._database = database
        self._clock = clock

    async def create(self, name: str, role: Role | str, *, expires_at: datetime | None = None) -> str:
        """Make a token; its text, which is shown here and never again.

        Args:
            name: whose it is, or what for: 1 to 200 bytes. Several may have one name.
            role: what it allows.
            expires_at: from when on it is worth nothing, with a time zone. None: until it is revoked.

        Raises `InvalidOption`.
        """
        now = self._clock()
        if expires_at is not None and instant_ms("expires_at", expires_at) <= now.timestamp() * 1000:
            raise InvalidOption("expires_at", expires_at, "give a time in the future")
        text = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
        row = TokenRow(
            id=new_job_id(),
            name=label("name", name),
            role=_role(role),
            hash=_hash(text),
            created_at=now,
            expires_at=expires_at,
        )
        async with self._database.writing() as session:
            session.add(row)
        return text

    async def verify(self, text: str) -> Token | None:
        """The token with this text; None for one that there is not, that is revoked, or that has expired."""
        if (
            not isinstance(text, str)
            or len(text) != LENGTH
            or not text.startswith(PREFIX)
            or not text.isascii()
        ):
            return None
        async with self._database.reading() as session:
            row = await session.scalar(select(TokenRow).where(TokenRow.hash == _hash(text)))
        now = self._clock()
        token = None if row is None else _token(row)
        if row is None or token is None or not token.is_valid(now):
            return None
        if row.last_used_at is None or row.last_used_at <= now - USE_NOTED_EVERY:
            await self._note_use(row.id, now)
        return token

    async def any_valid(self) -> bool:
        """Whether there is one that is worth something."""
        lasts = or_(TokenRow.expires_at.is_(None), TokenRow.expires_at > self._clock())
        query = select(TokenRow.id).where(TokenRow.revoked_at.is_(None), lasts).limit(1)
        async with self._database.reading() as session:
            return (await session.scalar(query)) is not None

    async def list(self, *, start: int = 0, limit: int = 100) -> Listed:
        """A page of all tokens, revoked and expired ones included, the newest first."""
        page = (
            select(TokenRow)
            .order_by(TokenRow.created_at.desc(), TokenRow.id.desc())
            .offset(whole("start", start))
            .limit(min(whole("limit", limit), 1000))
        )
        async with self._database.reading() as session:
            found = [_token(row) for row in await session.scalars(page)]
        return [token for token in found if token is not None]

    async def revoke(self, token_id: str) -> bool:
        """Let a token be worth nothing from now on. False when there is none with this id that was worth something."""
        if not storable(token_id):
            return False
        ended = (
            update(TokenRow)
            .where(TokenRow.id == token_id, TokenRow.revoked_at.is_(None))
            .values(revoked_at=self._clock())
            .returning(TokenRow.id)
        )
        async with self._database.writing() as session:
            return (await session.scalar(ended)) is not None

    async def _note_use(self, token_id: str, now: datetime) -> None:
        """Once a minute: of many calls at the same time one writes."""
        stale = or_(TokenRow.last_used_at.is_(None), TokenRow.last_used_at <= now - USE_NOTED_EVERY)
        async with self._database.writing() as session:
            await session.execute(
                update(TokenRow).where(TokenRow.id == token_id, stale).values(last_used_at=now)
            )


def _hash(text: str) -> str:
    # No salt and no slow hash: 256 random bits cannot be guessed, and the hash is what it is found by.
    return hashlib.sha256(text.encode()).hexdigest()


def _role(role: Role | str) -> Role:
    try:
        return Role(role)
    except ValueError:
        raise InvalidOption("role", role, f"give one of {', '.join(Role)}") from None


def _token(row: TokenRow) -> Token | None:
    """None where somebody has written a role that is none: nobody knows what it would allow."""
    if row.role not in list(Role):
        return None
    return Token(
        id=row.id,
        name=row.name,
        role=Role(row.role),
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
