"""Alembic's entry: run the migrations on the connection that `monitor.table_versions` hands over, in its transaction."""

from alembic import context
from sqlmodel import SQLModel

from monitor.ledger import tables

assert tables.SourceOffset.metadata is SQLModel.metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=SQLModel.metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
