"""The history of the ledger's tables, run by Alembic through `monitor.table_versions`."""
