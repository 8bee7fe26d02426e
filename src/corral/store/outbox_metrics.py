"""The outbox for Prometheus."""

from __future__ import annotations

from corral.errors import StoreError
from corral.store.database import Database
from corral.store.outbox import outbox_lag

__all__ = ["outbox_metrics"]

HEAD = (
    "# HELP corral_outbox_lag_seconds For how long the oldest job of the outbox has waited for a relay.\n"
    "# TYPE corral_outbox_lag_seconds gauge\n"
)


async def outbox_metrics(database: Database) -> bytes:
    """How far the relays are behind, in Prometheus' text format; nothing while the database does not say."""
    try:
        lag = await outbox_lag(database)
    except StoreError:
        return b""
    return f"{HEAD}corral_outbox_lag_seconds {lag.total_seconds():.3f}\n".encode()
