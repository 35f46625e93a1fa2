"""Open the ledger's database: engine, transactions, errors as sentences. Shell.

SQLite (WAL) is the embedded default. A write transaction there begins with BEGIN IMMEDIATE, so that two workers queue
for the lock instead of failing when one of them upgrades a read.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, Table, case, event, func, make_url, text, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError, SQLAlchemyError
from sqlmodel import SQLModel, create_engine

from monitor import tables
from schemas.errors import HipwatchError

LOCK_WAIT_SECONDS: Final = 10
"""How long a statement waits for SQLite's write lock; a batch holds it for tenths of a second."""
_WRITE: Final = {"hipwatch_write": True}


class LedgerUnavailable(HipwatchError):
    """The database cannot be used now. Whoever has time may try again."""


def open_database(url: str, *, create: bool) -> Engine:
    """An engine on `url` with the ledger's tables in place.

    With `create`, missing tables are made and the write lock is tried; without, a database that does not exist is an
    error. Raises LedgerUnavailable (one sentence) when the file is locked, corrupt, no database, or out of reach.
    """
    try:
        engine = create_engine(url, connect_args=_connect_args(url))
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise HipwatchError(f"'{url}' is not a database URL that can be used here: {error}") from None
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine, create=create)
    with sentences(engine):
        if create:
            with engine.connect() as connection, connection.begin():
                pass  # reach it before promising anything
            with writing(engine) as connection:
                SQLModel.metadata.create_all(connection)
                now = datetime.now(UTC)
                clock = insert(connection, table_of(tables.PlatformClock)).on_conflict_do_nothing()
                connection.execute(clock, [{"id": 1, "advanced_at": now}])
        else:
            with engine.connect() as connection:
                connection.execute(text("SELECT 1 FROM platform_clock"))
    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One write transaction: committed at the end, rolled back on any error."""
    with engine.connect().execution_options(**_WRITE) as connection, connection.begin():
        yield connection


@contextmanager
def sentences(engine: Engine) -> Iterator[None]:
    """Turn database errors into LedgerUnavailable with one clear sentence."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.DatabaseError) as error:
        raise LedgerUnavailable(_explain(engine, error)) from error


def table_of(model: type[SQLModel]) -> Table:
    """The Core table of a model: batches are written with Core, for the ORM goes row by row."""
    found: Table = model.__table__  # type: ignore[attr-defined]
    return found


def insert(connection: Connection, table: Table) -> Any:
    """The dialect's INSERT, which knows ON CONFLICT."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    add: Sequence[str] = (),
    least: Sequence[str] = (),
    greatest: Sequence[str] = (),
) -> None:
    """Insert `rows`; where a key exists, `add` columns grow (NULL says nothing), `least` and `greatest` keep the extreme."""
    if not rows:
        return
    statement = insert(connection, table)
    old, new = table.c, statement.excluded
    changed: dict[str, Any] = {
        name: case((new[name].is_(None), old[name]), else_=func.coalesce(old[name], 0) + new[name]) for name in add
    }
    changed |= {name: case((new[name] < old[name], new[name]), else_=old[name]) for name in least}
    changed |= {name: case((new[name] > old[name], new[name]), else_=old[name]) for name in greatest}
    key = list(table.primary_key.columns)
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=changed), rows)


def of_streams(statement: Any, table: Table, keys: Sequence[tuple[str, str, str]]) -> Any:
    """`statement`, limited to the rows of `table` that belong to the streams `keys` (unit, topic, series)."""
    return statement.where(tuple_(table.c.unit_id, table.c.topic, table.c.series).in_([tuple(key) for key in keys]))


def _connect_args(url: str) -> dict[str, Any]:
    return {"timeout": LOCK_WAIT_SECONDS} if url.startswith("sqlite") else {}


def _prepare_sqlite(engine: Engine, *, create: bool) -> None:
    path = engine.url.database
    if path and path != ":memory:":
        if not create:
            _require_file(path)
        else:
            _make_folder(path)

    @event.listens_for(engine, "connect")
    def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions begin where _on_begin says, not where the driver guesses
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")  # a lost last commit takes its offsets with it: nothing is lost
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("hipwatch_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _require_file(path: str) -> None:
    if not Path(path).is_file():
        raise HipwatchError(f"there is no ledger {path}; run a worker or a replay first, or name another with --database")


def _make_folder(path: str) -> None:
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HipwatchError(f"the folder of {path} cannot be made: {error.strerror}") from None


def _explain(engine: Engine, error: Exception) -> str:
    where = make_url(engine.url).render_as_string(hide_password=True)
    cause = str(error.orig) if isinstance(error, DBAPIError) and error.orig is not None else str(error)
    cause = cause.strip().splitlines()[0] if cause.strip() else type(error).__name__
    known = {
        "database is locked": "is locked by another process",
        "file is not a database": "is not a ledger: the file is no SQLite database",
        "malformed": "is corrupt: SQLite cannot read it (restore a backup)",
        "unable to open": "cannot be opened",
        "readonly": "is read-only",
        "disk is full": "cannot grow: the disk is full",
        "no such table": "is not a ledger: it lacks our tables",
        "does not exist": "is not a ledger: it lacks our tables or does not exist",
        "no such column": "has another version's tables",
    }
    for sign, meaning in known.items():
        if sign in cause:
            return f"the database {where} {meaning}"
    kind = "cannot be reached" if isinstance(error, OperationalError) else "refused"
    return f"the database {where} {kind}: {cause}"
