"""The version of the ledger's tables: make them, bring them up to date, refuse what does not fit. Shell.

Alembic holds the history (`migrations/`). An empty database is brought up to date by whoever opens it to write; one with
an older version only by `hipwatch db upgrade`, because somebody should have taken a backup first.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlmodel import SQLModel

from monitor.ledger import tables
from schemas.errors import HipwatchError
from schemas.visible import visible

_BASELINE: Final = "0001"
_ADVISORY_LOCK: Final = 7_461_926_350_017
"""Any number, as long as nobody else locks it: two workers that start at once must not both migrate (PostgreSQL)."""


class NotALedger(HipwatchError):
    """The database has none of our tables; `others` are the tables that it has."""

    def __init__(self, others: Sequence[str]) -> None:
        self.others = others
        held = f"holds tables of others ({visible(min(others))}, {len(others)} in all)" if others else "is empty"
        super().__init__(
            f"the database is not a ledger: it lacks our tables, and {held}; "
            + (
                "give hipwatch a database of its own, or run 'hipwatch db init' to keep both side by side"
                if others
                else "a worker makes them in an empty one"
            )
        )


def newest() -> str:
    """The version that this release needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise AssertionError("there is no migration")
    return head


def version(connection: Connection) -> str | None:
    """The version of the tables; None for a database without any of ours."""
    found = MigrationContext.configure(connection).get_current_revision()
    if found is None and inspect(connection).has_table(tables.PlatformClock.__tablename__):
        return _BASELINE  # made by the release that had no migrations yet
    return found


def prepare(connection: Connection, *, beside_others: bool = False) -> None:
    """Inside a write transaction: make the tables of an empty database; require the newest version of any other.

    A database that holds somebody else's tables gets ours only with `beside_others`: it may have been named by mistake.
    """
    _lock(connection)
    if version(connection) is None:
        if not beside_others and (others := _tables(connection)):
            raise NotALedger(others)
        _migrate(connection)
    require_newest(connection)


def upgrade(connection: Connection) -> tuple[str, str]:
    """Inside a write transaction: bring the tables to the newest version. Returns the versions before and after."""
    _lock(connection)
    before = version(connection)
    _require_known(before)
    if before is None:
        raise NotALedger(_tables(connection))
    _migrate(connection)
    return before, newest()


def require_newest(connection: Connection) -> None:
    """Raise HipwatchError unless the tables have the version that this release needs."""
    found = version(connection)
    _require_known(found)
    if found is None:
        raise NotALedger(_tables(connection))
    if found != newest():
        raise HipwatchError(
            f"the ledger's tables have version {found}, this release needs {newest()}: "
            "take a backup, then run 'hipwatch db upgrade'"
        )


def migrate_to(connection: Connection, revision: str) -> None:
    """Inside a write transaction: bring an empty database to `revision`, as an older release did."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def differences(connection: Connection) -> list[object]:
    """What the tables lack, or have too much, against the models. Empty after the migrations, or one is missing."""
    return list(compare_metadata(MigrationContext.configure(connection), SQLModel.metadata))


def _tables(connection: Connection) -> Sequence[str]:
    """What is there, but for what Alembic keeps for itself (it may have been left by a ledger that was removed)."""
    return [name for name in inspect(connection).get_table_names() if name != "alembic_version"]


def _require_known(found: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found is not None and found not in known:
        raise HipwatchError(f"the ledger's tables have version {found}, which a newer release made; this one knows {newest()}")


def _migrate(connection: Connection) -> None:
    if MigrationContext.configure(connection).get_current_revision() is None and version(connection) == _BASELINE:
        config = _config()
        config.attributes["connection"] = connection
        command.stamp(config, _BASELINE)
    migrate_to(connection, "head")
    connection.execute(
        text("INSERT INTO platform_clock (id, advanced_at) SELECT 1, :now WHERE NOT EXISTS (SELECT 1 FROM platform_clock)"),
        {"now": int(datetime.now(UTC).timestamp() * 1000)},
    )


def _lock(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
