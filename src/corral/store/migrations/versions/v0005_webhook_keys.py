"""Subscriptions to webhooks: whose they are, and keys in a table of their own. Attempts: of which event they are."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

SUBSCRIPTIONS = sa.table(
    "corral_webhook_subscriptions", sa.column("id", sa.String()), sa.column("keys", sa.JSON())
)
KEYS = sa.table(
    "corral_webhook_keys",
    sa.column("id", sa.BigInteger()),
    sa.column("subscription_id", sa.String()),
    sa.column("text", sa.Text()),
    sa.column("until", sa.DateTime(timezone=True)),
)


def upgrade() -> None:
    """Make the columns and the table, and move the keys there: the newest first in the list, with the highest id in
    the table."""
    op.add_column("corral_webhook_subscriptions", sa.Column("owner", sa.String(200), nullable=True))
    op.create_table(
        "corral_webhook_keys",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("subscription_id", sa.String(36), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_corral_webhook_keys"),
    )
    op.create_index("ix_corral_webhook_keys_subscription_id", "corral_webhook_keys", ["subscription_id"])
    for subscription_id, texts in op.get_bind().execute(sa.select(SUBSCRIPTIONS)).all():
        rows = [{"subscription_id": subscription_id, "text": text} for text in reversed(texts)]
        op.bulk_insert(KEYS, rows)
    op.drop_column("corral_webhook_subscriptions", "keys")
    op.add_column("corral_webhook_events", sa.Column("event_id", sa.String(500), nullable=True))
    op.execute("UPDATE corral_webhook_events SET event_id = job_id")
    op.create_index(
        "ix_corral_webhook_events_event", "corral_webhook_events", ["subscription_id", "event_id"]
    )


def downgrade() -> None:
    """Go back: keys whose time is not over yet are keys again."""
    op.drop_index("ix_corral_webhook_events_event", "corral_webhook_events")
    op.drop_column("corral_webhook_events", "event_id")
    empty = sa.Column("keys", sa.JSON(), nullable=False, server_default="[]")
    op.add_column("corral_webhook_subscriptions", empty)
    kept: dict[str, list[str]] = {}
    in_force = KEYS.c.until.is_(None) | (KEYS.c.until > datetime.now(UTC))
    query = sa.select(KEYS.c.subscription_id, KEYS.c.text).where(in_force).order_by(KEYS.c.id.desc())
    for subscription_id, text in op.get_bind().execute(query).all():
        kept.setdefault(subscription_id, []).append(text)
    for subscription_id, texts in kept.items():
        op.execute(SUBSCRIPTIONS.update().where(SUBSCRIPTIONS.c.id == subscription_id).values(keys=texts))
    op.drop_table("corral_webhook_keys")
    op.drop_column("corral_webhook_subscriptions", "owner")
