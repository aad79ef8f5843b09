"""Alembic's entry point: runs on the connection that wetread.store.core.migrating hands over."""

from __future__ import annotations

from alembic import context

from schemas.tables import Run

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Run.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
