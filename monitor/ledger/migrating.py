"""Bring the ledger's tables from version to version, by Alembic. Shell: inside the caller's write transaction.

Only what changes tables imports this: Alembic takes a command longer to load than most take to answer.
"""

from datetime import UTC, datetime

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlmodel import SQLModel

from monitor.ledger.versions import BASELINE, MIGRATIONS, kept_version, version


def migrate(connection: Connection) -> None:
    """Bring the tables of an empty database, or of one with an older version, to the newest."""
    if kept_version(connection) is None and version(connection) == BASELINE:
        command.stamp(_config(connection), BASELINE)
    migrate_to(connection, "head")
    connection.execute(
        text("INSERT INTO platform_clock (id, advanced_at) SELECT 1, :now WHERE NOT EXISTS (SELECT 1 FROM platform_clock)"),
        {"now": int(datetime.now(UTC).timestamp() * 1000)},
    )


def migrate_to(connection: Connection, revision: str) -> None:
    """Bring an empty database to `revision`, as an older release did."""
    command.upgrade(_config(connection), revision)


def differences(connection: Connection) -> list[object]:
    """What the tables lack, or have too much, against the models. Empty after the migrations, or one is missing."""
    return list(compare_metadata(MigrationContext.configure(connection), SQLModel.metadata))


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config
