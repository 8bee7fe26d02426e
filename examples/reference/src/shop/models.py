"""The tables of the shop."""

from __future__ import annotations

import secrets
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import DateTime, Dialect, ForeignKey, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

__all__ = [
    "Invitation",
    "LogInAttempt",
    "Order",
    "OrderState",
    "Report",
    "Row",
    "SearchEntry",
    "Session",
    "StockItem",
    "User",
    "new_id",
    "now",
]


def new_id() -> str:
    """An id that nobody can guess."""
    return secrets.token_hex(12)


def now() -> datetime:
    """This moment, with its zone."""
    return datetime.now(UTC)


class UtcTime(TypeDecorator[datetime]):
    """A time in UTC. SQLite keeps no zone: it is put back when the time is read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The time as it is stored."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The time as it was stored."""
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


class Row(DeclarativeBase):
    """The root of the models."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UtcTime, str: String(200)}


class User(Row):
    """Somebody who may log in."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password: Mapped[str]
    """Salt and hash: see `services.passwords`."""
    created_at: Mapped[datetime] = mapped_column(default=now)


class Session(Row):
    """Somebody who is logged in."""

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(primary_key=True)
    """The SHA-256 of the token."""
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    expires_at: Mapped[datetime] = mapped_column(index=True)


class LogInAttempt(Row):
    """A log-in that failed, or is tried just now: one that goes well takes away those before it."""

    __tablename__ = "log_in_attempts"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime] = mapped_column(default=now, index=True)


class Invitation(Row):
    """Somebody who was asked to join."""

    __tablename__ = "invitations"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(unique=True)
    inviter_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    digest: Mapped[str] = mapped_column(unique=True)
    """The SHA-256 of the token that its link ends with."""
    sends: Mapped[int] = mapped_column(default=1)
    """How often its mail was asked for: the number of the mail."""
    expires_at: Mapped[datetime]


class StockItem(Row):
    """What there is to sell."""

    __tablename__ = "stock"

    item: Mapped[str] = mapped_column(primary_key=True)
    price: Mapped[int]
    """In cents."""
    available: Mapped[int]


class OrderState(StrEnum):
    """How far an order is."""

    PLACED = "placed"
    RESERVED = "reserved"
    CHARGED = "charged"
    SHIPPED = "shipped"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class Order(Row):
    """What somebody wants to have."""

    __tablename__ = "orders"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    item: Mapped[str] = mapped_column(ForeignKey("stock.item"))
    quantity: Mapped[int]
    total: Mapped[int]
    """In cents."""
    note: Mapped[str] = mapped_column(String(1000), default="")
    state: Mapped[str] = mapped_column(default=OrderState.PLACED)
    refusal: Mapped[str | None] = mapped_column(String(1000))
    """Why it was refused."""
    created_at: Mapped[datetime] = mapped_column(default=now, index=True)


class SearchEntry(Row):
    """An order as the search finds it."""

    __tablename__ = "search_entries"

    order_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(index=True)
    words: Mapped[str] = mapped_column(String(2000))


class Report(Row):
    """A day of the shop in numbers."""

    __tablename__ = "reports"

    day: Mapped[date] = mapped_column(primary_key=True)
    orders: Mapped[int]
    revenue: Mapped[int]
    """In cents."""
