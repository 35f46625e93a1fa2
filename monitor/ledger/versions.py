"""The version of the ledger's tables: make them, bring them up to date, refuse what does not fit. Shell.

Alembic holds the history (`migrations/`). An empty database is brought up to date by whoever opens it to write; one with
an older version only by `hipwatch db upgrade`, because somebody should have taken a backup first.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text

from monitor.ledger import tables
from schemas.errors import HipwatchError
from schemas.visible import visible

MIGRATIONS: Final = Path(__file__).parent / "migrations"
BASELINE: Final = "0001"
"""The version of the release that had no migrations yet, and kept none."""
_ALEMBIC_TABLE: Final = "alembic_version"
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
    return _known()[-1]


def version(connection: Connection) -> str | None:
    """The version of the tables; None for a database without any of ours."""
    found = kept_version(connection)
    if found is None and inspect(connection).has_table(tables.PlatformClock.__tablename__):
        return BASELINE
    return found


def kept_version(connection: Connection) -> str | None:
    """The version that Alembic keeps in the database, if it keeps one."""
    if not inspect(connection).has_table(_ALEMBIC_TABLE):
        return None
    found: str | None = connection.execute(text(f"SELECT version_num FROM {_ALEMBIC_TABLE}")).scalar_one_or_none()
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


def _tables(connection: Connection) -> Sequence[str]:
    """What is there, but for what Alembic keeps for itself (it may have been left by a ledger that was removed)."""
    return [name for name in inspect(connection).get_table_names() if name != _ALEMBIC_TABLE]


def _require_known(found: str | None) -> None:
    if found is not None and found not in _known():
        raise HipwatchError(f"the ledger's tables have version {found}, which a newer release made; this one knows {newest()}")


@cache
def _known() -> Sequence[str]:
    """Every version, oldest first: each migration's file begins with its own."""
    return sorted(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def _migrate(connection: Connection) -> None:
    from monitor.ledger.migrating import migrate

    migrate(connection)


def _lock(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
