"""Runs migrations on the connection that `memory.schema` hands over."""

from __future__ import annotations

from alembic import context

from memory.schema import VERSION_TABLE
from memory.tables import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, version_table=VERSION_TABLE
)
with context.begin_transaction():
    context.run_migrations()
