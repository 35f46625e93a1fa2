"""The ledger's database: engine, transactions, the few statements that differ, errors as sentences. Shell.

SQLite (WAL) is the embedded default, PostgreSQL the real one; all else in the monitor runs alike on both. A write
transaction on SQLite begins with BEGIN IMMEDIATE, so that two workers queue for the lock instead of failing when one of
them upgrades a read.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, Table, case, column, event, func, literal, make_url, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, NoSuchModuleError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlmodel import SQLModel, create_engine

from monitor import table_versions
from schemas.errors import HipwatchError

LOCK_WAIT_SECONDS: Final = 10
"""How long a statement waits for SQLite's write lock; a batch holds it for tenths of a second."""
IDLE_IN_TRANSACTION_SECONDS: Final = 5
"""After this PostgreSQL rolls a transaction back whose client has fallen silent: a frozen worker keeps no row locked, and
has lost its transaction before its session times out (10 s). Between two statements of ours lie tenths of a second."""
_WRITE: Final = {"hipwatch_write": True}
_PASSING: Final = frozenset({"25006", "25P03", "25P04"})
"""Read-only transaction, idle in transaction for too long, transaction too long: SQLSTATEs that psycopg files under internal
errors, and that pass. A failover shows a read-only server for a while."""
_SECRETS: Final = frozenset({"password", "sslpassword"})
"""What libpq would take there."""


class LedgerUnavailable(HipwatchError):
    """The database cannot be used now. Whoever has time may try again."""


def open_database(url: str, *, create: bool) -> Engine:
    """An engine on `url` whose tables have this release's version.

    With `create`, an empty database gets its tables and the write lock is tried; without, a database that does not exist
    is an error. Raises HipwatchError (one sentence) when it is locked, corrupt, no ledger, of another version, or out of
    reach.
    """
    engine = make_engine(url)
    if engine.dialect.name == "sqlite" and engine.url.database:
        _find_file(Path(engine.url.database), create=create)
    with sentences(engine):
        if create:
            with writing(engine) as connection:
                table_versions.prepare(connection)
        else:
            with engine.connect() as connection, connection.begin():
                table_versions.require_newest(connection)
    return engine


def upgrade_database(url: str) -> tuple[str, str]:
    """Bring a ledger's tables to this release's version, in one transaction. Returns the versions before and after."""
    engine = make_engine(url)
    if engine.dialect.name == "sqlite" and engine.url.database:
        _find_file(Path(engine.url.database), create=False)
    with sentences(engine), writing(engine) as connection:
        return table_versions.upgrade(connection)


def make_engine(url: str) -> Engine:
    """An engine that has not been tried yet. Raises HipwatchError when `url` is none."""
    try:
        backend = make_url(url).get_backend_name()
        engine = create_engine(url, connect_args=_connect_args(backend), pool_pre_ping=backend == "postgresql")
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise HipwatchError(f"'{url}' is not a database URL that can be used here: {error}") from None
    if _SECRETS & engine.url.query.keys():
        raise HipwatchError("a password does not belong behind the ? of a database URL, where messages show it: use PGPASSFILE")
    if backend == "sqlite":
        _listen_to_sqlite(engine)
    else:
        _never_pipeline(engine)
    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One write transaction: committed at the end, rolled back on any error."""
    with engine.connect().execution_options(**_WRITE) as connection, connection.begin():
        yield connection


@contextmanager
def sentences(engine: Engine) -> Iterator[None]:
    """Turn database errors into one clear sentence: LedgerUnavailable when waiting may help, HipwatchError otherwise."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeoutError) as error:
        raise LedgerUnavailable(_explain(engine, error)) from error
    except (SQLAlchemyError, sqlite3.DatabaseError) as error:
        kind = LedgerUnavailable if _passes(error) else HipwatchError
        raise kind(_explain(engine, error)) from error


def table_of(model: type[SQLModel]) -> Table:
    """The Core table of a model: batches are written with Core, for the ORM goes row by row."""
    found: Table = model.__table__  # type: ignore[attr-defined]
    return found


def insert(connection: Connection, table: Table) -> Any:
    """The dialect's INSERT, which knows ON CONFLICT."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def insert_rows(connection: Connection, statement: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Execute `statement`, an `insert`, with many rows at once; each has the same columns.

    To PostgreSQL they go as one statement with an array for each column. psycopg's own way is a pipeline, and a worker that
    is frozen in the midst of one is not idle in its transaction as PostgreSQL sees it: no time limit applies, and its
    locks stay until it wakes.
    """
    if not rows:
        return
    if connection.dialect.name != "postgresql":
        connection.execute(statement, rows)
        return
    columns = [statement.table.c[name] for name in rows[0]]
    arrays = [literal([row[c.name] for row in rows], postgresql.ARRAY(c.type)) for c in columns]
    given = func.unnest(*arrays).table_valued(*[column(c.name, c.type) for c in columns], name="given").render_derived()
    connection.execute(statement.from_select(columns, select(*given.c)))


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
    statement = insert(connection, table)
    old, new = table.c, statement.excluded
    changed: dict[str, Any] = {
        name: case((new[name].is_(None), old[name]), else_=func.coalesce(old[name], 0) + new[name]) for name in add
    }
    changed |= {name: case((new[name] < old[name], new[name]), else_=old[name]) for name in least}
    changed |= {name: case((new[name] > old[name], new[name]), else_=old[name]) for name in greatest}
    key = list(table.primary_key.columns)
    insert_rows(connection, statement.on_conflict_do_update(index_elements=key, set_=changed), rows)


def of_streams(statement: Any, table: Table, keys: Sequence[tuple[str, str, str]]) -> Any:
    """`statement`, limited to the rows of `table` that belong to the streams `keys` (unit, topic, series)."""
    return statement.where(tuple_(table.c.unit_id, table.c.topic, table.c.series).in_([tuple(key) for key in keys]))


def _connect_args(backend: str) -> dict[str, Any]:
    if backend == "sqlite":
        return {"timeout": LOCK_WAIT_SECONDS}
    if backend == "postgresql":
        # a server that vanished without a word is noticed by keepalives or, while it owes us an acknowledgement, by the
        # user timeout; a statement that hangs by its time limit
        alive = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 15_000}
        idle = f"-c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_SECONDS}s"
        limits = f"-c lock_timeout=10s -c statement_timeout=60s {idle}"
        return {"connect_timeout": 5, **alive, "options": limits}
    raise HipwatchError(f"a ledger lives in SQLite or PostgreSQL, and not in {backend}")


def _listen_to_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions begin where _on_begin says, not where the driver guesses
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")  # a lost last commit takes its offsets with it: nothing is lost

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("hipwatch_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _never_pipeline(engine: Engine) -> None:
    """Psycopg sends the rows of an executemany in a pipeline: see `insert_rows`, which is there instead of it."""

    @event.listens_for(engine, "do_executemany")
    def _one_by_one(cursor: Any, statement: str, parameters: Sequence[Any], _context: object) -> bool:
        for values in parameters:
            cursor.execute(statement, values)
        return True


def _find_file(path: Path, *, create: bool) -> None:
    """Before SQLite makes an empty file of whatever name it is given."""
    if create:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HipwatchError(f"the folder of {path} cannot be made: {error.strerror}") from None
    elif not path.exists():
        raise HipwatchError(f"there is no ledger {path}; run a worker or a replay first, or name another with --database")


def _passes(error: Exception) -> bool:
    """Whether an error that is not operational by its class will pass all the same."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _PASSING


def _explain(engine: Engine, error: Exception) -> str:
    where = make_url(engine.url).render_as_string(hide_password=True)
    cause = str(error.orig) if isinstance(error, DBAPIError) and error.orig is not None else str(error)
    cause = cause.strip().splitlines()[0] if cause.strip() else type(error).__name__
    known = {
        "certificate verify failed": "shows a certificate that is not signed by the CA in sslrootcert, or is not valid any more",
        "root certificate file": "cannot be tried: there is no file of CAs to trust; name one as sslrootcert",
        "database is locked": "is locked by another process",
        "file is not a database": "is not a ledger: the file is no SQLite database",
        "malformed": "is corrupt: SQLite cannot read it (restore a backup)",
        "unable to open": "cannot be opened",
        "readonly": "is read-only",
        "read-only transaction": "is read-only",
        "No space left on device": "cannot grow: the disk is full",
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
