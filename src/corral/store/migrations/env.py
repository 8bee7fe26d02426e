"""What Alembic runs around the migrations: `corral.store.migration` gives the connection and its transaction."""

from __future__ import annotations

from alembic import context

from corral.store.migration import VERSION_TABLE
from corral.store.tables import Row

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Row.metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
context.run_migrations()
