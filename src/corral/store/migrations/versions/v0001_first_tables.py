"""The first tables: cron jobs and their registrations, tokens, the operator log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make them."""
    _make_cron_jobs()
    _make_registrations()
    _make_tokens()
    _make_operator_log()


def _make_cron_jobs() -> None:
    op.create_table(
        "corral_cron_jobs",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("job_id", sa.String(200), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("pattern", sa.String(1000), nullable=False),
        sa.Column("handler", sa.String(200), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("max_attempts", sa.BigInteger(), nullable=False),
        sa.Column("backoff_ms", sa.BigInteger(), nullable=False),
        sa.Column("tz", sa.String(100), server_default="UTC", nullable=False),
        sa.Column("queue", sa.String(200), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("problem", sa.String(1000), nullable=True),
        sa.Column("declared_as", sa.String(200), nullable=True),
        sa.Column("declared", sa.JSON(), nullable=True),
        sa.Column("edited", sa.JSON(), nullable=True),
        sa.Column("deleted_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_corral_cron_jobs"),
        sa.UniqueConstraint("job_id", name="uq_corral_cron_jobs_job_id"),
        sa.UniqueConstraint("declared_as", name="uq_corral_cron_jobs_declared_as"),
    )


def _make_registrations() -> None:
    op.create_table(
        "corral_registrations",
        sa.Column("queue", sa.String(200), nullable=False),
        sa.Column("job_id", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("queue", "job_id", name="pk_corral_registrations"),
    )


def _make_tokens() -> None:
    op.create_table(
        "corral_tokens",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("last_used_at", TIME, nullable=True),
        sa.Column("expires_at", TIME, nullable=True),
        sa.Column("revoked_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_corral_tokens"),
        sa.UniqueConstraint("hash", name="uq_corral_tokens_hash"),
    )


def _make_operator_log() -> None:
    op.create_table(
        "corral_operator_log",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("role", sa.String(20), nullable=True),
        sa.Column("action", sa.String(100), nullable=False),
        sa.Column("target", sa.String(1000), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("outcome", sa.String(100), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_corral_operator_log"),
    )
    op.create_index("ix_corral_operator_log_at", "corral_operator_log", ["at"])


def downgrade() -> None:
    """Drop them."""
    for table in ("corral_operator_log", "corral_tokens", "corral_registrations", "corral_cron_jobs"):
        op.drop_table(table)
