"""What all tables have in common."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import DateTime, Dialect, MetaData
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator, TypeEngine

from corral.store.unreadable import read_time

__all__ = ["Row", "UtcTime"]


class UtcTime(TypeDecorator[datetime]):
    """A time with a zone, stored in UTC. SQLite has neither times nor zones: there it is text, in UTC without saying
    so, and any other text may stand there too (see `read_time`)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """How the database keeps it."""
        return dialect.type_descriptor(_AnyText() if dialect.name == "sqlite" else DateTime(timezone=True))  # type: ignore[no-untyped-call]

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """What is stored."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """What was stored, in UTC."""
        return None if value is None else value.astimezone(UTC)


class _AnyText(sqlite.DATETIME):
    """SQLite's times, read whatever stands there."""

    def result_processor(self, dialect: Any, coltype: object) -> Any:
        """What reads a value."""
        return lambda value: None if value is None else read_time(value)


class Row(DeclarativeBase):
    """The root of the models."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UtcTime}
