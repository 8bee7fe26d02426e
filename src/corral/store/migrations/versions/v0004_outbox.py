"""The tables of the outbox."""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make them, and give this outbox its name."""
    op.create_table(
        "corral_outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("flags", sa.String(4), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("opts", sa.Text(), nullable=False),
        sa.Column("delay_ms", sa.BigInteger(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("deduplication", sa.Text(), nullable=False),
        sa.Column("durability", sa.String(20), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_corral_outbox"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_corral_outbox_queue", "corral_outbox", ["queue", "id"])
    op.create_table(
        "corral_outbox_batches",
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("outbox", sa.String(36), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("mark", sa.String(12), nullable=False),
        sa.Column("row_ids", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("queue", name="pk_corral_outbox_batches"),
    )
    relay = op.create_table(
        "corral_outbox_relay",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(36), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.String(36), nullable=True),
        sa.Column("held_until", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_corral_outbox_relay"),
    )
    op.bulk_insert(relay, [{"id": 1, "name": str(uuid.uuid4()), "number": 0}])


def downgrade() -> None:
    """Drop them, and the jobs that no relay has moved."""
    op.drop_table("corral_outbox_relay")
    op.drop_table("corral_outbox_batches")
    op.drop_table("corral_outbox")
