"""The tables of the outbox: jobs that wait for their way to the server, and how far a relay is with them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import JSON, BigInteger, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from corral.contracts.options import Durability
from corral.store.tables.row import Row

__all__ = ["THE_RELAY", "OutboxBatchRow", "OutboxRelayRow", "OutboxRow"]

THE_RELAY: Final = 1
"""The key of the one row of `OutboxRelayRow`."""


def _size(context: Any) -> int:
    return len(context.get_current_parameters()["data"])


class OutboxRow(Row):
    """A job, validated and encoded. It is gone once the server has it."""

    __tablename__ = "corral_outbox"
    # No id is used twice, or a batch that was sent could be taken for a row that came later.
    __table_args__ = (Index("ix_corral_outbox_queue", "queue", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    queue: Mapped[str] = mapped_column(Text)
    job_id: Mapped[str] = mapped_column(Text)
    """As in Redis."""
    flags: Mapped[str] = mapped_column(String(4))
    name: Mapped[str] = mapped_column(Text)
    data: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(BigInteger, default=_size)
    """Of `data`, in characters: so that a batch is made up without reading any payload."""
    opts: Mapped[str] = mapped_column(Text)
    delay_ms: Mapped[int] = mapped_column(BigInteger)
    due_ms: Mapped[int | None] = mapped_column(BigInteger)
    priority: Mapped[int] = mapped_column(Integer)
    deduplication: Mapped[str] = mapped_column(Text)
    durability: Mapped[Durability | None] = mapped_column(String(20))
    created_at: Mapped[datetime]


class OutboxBatchRow(Row):
    """The rows of a queue that are on their way: which they are is settled before they are sent."""

    __tablename__ = "corral_outbox_batches"

    queue: Mapped[str] = mapped_column(Text, primary_key=True)
    outbox: Mapped[str] = mapped_column(String(36))
    """Who sends it, under this number: the name of the outbox when it was begun, whatever it is called by now."""
    number: Mapped[int] = mapped_column(BigInteger)
    mark: Mapped[str] = mapped_column(String(12))
    """Digits of chance, by which a batch differs from one with the same number: of a copy of this database, say."""
    row_ids: Mapped[list[int]] = mapped_column(JSON)


class OutboxRelayRow(Row):
    """One row: the name of this outbox, the number of its last batch, and the relay whose turn it is."""

    __tablename__ = "corral_outbox_relay"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(36))
    number: Mapped[int] = mapped_column(BigInteger)
    holder: Mapped[str | None] = mapped_column(String(36))
    held_until: Mapped[datetime | None]
