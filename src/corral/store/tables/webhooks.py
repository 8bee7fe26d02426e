"""The tables of webhooks: who wants which events where, and every attempt to tell them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from corral.store.tables.row import Row

__all__ = ["WebhookEventRow", "WebhookKeyRow", "WebhookSubscriptionRow"]


class WebhookSubscriptionRow(Row):
    """A subscription, with the state of its circuit breaker: all workers share it here."""

    __tablename__ = "corral_webhook_subscriptions"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    url: Mapped[str] = mapped_column(String(2048))
    events: Mapped[list[str]] = mapped_column(JSON)
    """Patterns of event names; empty: all."""
    signing: Mapped[str] = mapped_column(String(20))
    headers: Mapped[dict[str, str]] = mapped_column(JSON)
    owner: Mapped[str | None] = mapped_column(String(200))
    enabled: Mapped[bool]
    failures: Mapped[int] = mapped_column(Integer, server_default="0")
    """In a row."""
    opened_at: Mapped[datetime | None]
    """Since when the breaker is open. None for one that was disabled for another reason."""
    probe_at: Mapped[datetime | None]
    """When one delivery may try whether the receiver is back."""
    disabled_reason: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class WebhookKeyRow(Row):
    """A signing key of a subscription. A newer one has a higher id."""

    __tablename__ = "corral_webhook_keys"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    subscription_id: Mapped[str] = mapped_column(String(36), index=True)
    text: Mapped[str] = mapped_column(Text)
    until: Mapped[datetime | None]
    """When it is no longer in force. None: there is no newer one."""


class WebhookEventRow(Row):
    """One attempt to deliver one event."""

    __tablename__ = "corral_webhook_events"
    __table_args__ = (
        Index("ix_corral_webhook_events_subscription", "subscription_id", "id"),
        Index("ix_corral_webhook_events_event", "subscription_id", "event_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    subscription_id: Mapped[str] = mapped_column(String(36))
    event_id: Mapped[str | None] = mapped_column(String(500))
    """The same for all attempts to tell one event, also in a replay. None: a ping, which tells of nothing."""
    job_id: Mapped[str] = mapped_column(String(500))
    attempt: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime] = mapped_column(index=True)
    change: Mapped[Any] = mapped_column(JSON)
    """What was to be told: enough to send it again."""
    status: Mapped[int | None] = mapped_column(Integer)
    milliseconds: Mapped[int] = mapped_column(Integer)
    response: Mapped[str] = mapped_column(Text)
    """The head of the answer."""
    error: Mapped[str | None] = mapped_column(Text)
