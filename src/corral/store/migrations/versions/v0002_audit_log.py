"""The table of the audit log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make it."""
    op.create_table(
        "corral_audit_log",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("job", sa.String(500), nullable=False),
        sa.Column("org", sa.String(200), nullable=False),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("actor_type", sa.String(20), nullable=False),
        sa.Column("action", sa.String(200), nullable=False),
        sa.Column("resource_type", sa.String(200), nullable=False),
        sa.Column("resource_id", sa.String(500), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_corral_audit_log"),
        sa.UniqueConstraint("job", "at", name="uq_corral_audit_log_job"),
    )
    op.create_index("ix_corral_audit_log_org", "corral_audit_log", ["org", "id"])
    op.create_index("ix_corral_audit_log_at", "corral_audit_log", ["at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("corral_audit_log")
