"""The ledger's database: engine, transactions, limits. Shell.

SQLite (WAL) is the embedded default, PostgreSQL the real one; all else in the monitor runs alike on both. A write
transaction on SQLite begins with BEGIN IMMEDIATE, so that two workers queue for the lock instead of failing when one of
them upgrades a read.
"""

import errno
import os
import sqlite3
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, event
from sqlalchemy import Engine as Engine
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlmodel import create_engine

from monitor.ledger import versions as table_versions
from monitor.ledger.database_url import parsed_url, shown
from monitor.ledger.errors import friendly_errors
from schemas.errors import HipwatchError

LOCK_WAIT_SECONDS: Final = 10
"""How long a statement waits for SQLite's write lock; a batch holds it for tenths of a second."""
IDLE_IN_TRANSACTION_SECONDS: Final = 5
"""After this PostgreSQL rolls a transaction back whose client has fallen silent: a frozen worker keeps no row locked, and
has lost its transaction before its session times out (10 s). Between two statements of ours lie tenths of a second."""
_LIMITS: Final = {
    "lock_timeout": "10s",
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": f"{IDLE_IN_TRANSACTION_SECONDS}s",
}
"""Set in each transaction, for it alone: behind a pooler such as PgBouncer a session is not ours for longer than that, and
start-up options are refused."""
_CHECKPOINT_PAGES: Final = 4_000
"""SQLite moves what was committed into its file after so many pages (16 MB), four times its default: a backlog changes the
same pages again and again."""
_WRITE: Final = {"hipwatch_write": True}


def open_database(url: str, *, create: bool) -> Engine:
    """An engine on `url` whose tables have this release's version.

    With `create`, an empty database gets its tables and the write lock is tried; without, a database that does not exist
    is an error. A database of somebody else gets none. Raises HipwatchError (one sentence) when it is locked, corrupt, no
    ledger, of another version, or out of reach.
    """
    engine = make_engine(url)
    _find_file(engine, create=create)
    with friendly_errors(engine):
        if create:
            with writing(engine) as connection:
                _require_every_character(connection)
                table_versions.prepare(connection)
        else:
            with reading(engine) as connection:
                _require_every_character(connection)
                table_versions.require_newest(connection)
    return engine


def init_database(url: str) -> None:
    """Make a ledger's tables, beside whatever tables of others are there. A ledger that is there already stays as it is."""
    engine = make_engine(url)
    _find_file(engine, create=True)
    with closing_engine(engine), friendly_errors(engine), writing(engine) as connection:
        _require_every_character(connection)
        table_versions.prepare(connection, beside_others=True)


def upgrade_database(url: str) -> tuple[str, str]:
    """Bring a ledger's tables to this release's version, in one transaction. Returns the versions before and after."""
    engine = make_engine(url)
    _find_file(engine, create=False)
    with closing_engine(engine), friendly_errors(engine), writing(engine) as connection:
        _require_every_character(connection)
        return table_versions.upgrade(connection)


def make_engine(url: str) -> Engine:
    """An engine that has not been tried yet. Raises HipwatchError when `url` is none."""
    found = parsed_url(url)
    try:
        backend = found.get_backend_name()
        engine = create_engine(found, connect_args=_connect_args(backend), pool_pre_ping=backend == "postgresql")
    except (NoSuchModuleError, ImportError, ArgumentError) as error:
        cause = str(error).partition("\n")[0].removesuffix(":")
        raise HipwatchError(f"{shown(found)} is not a database URL that can be used here: {cause}") from None
    if backend == "sqlite":
        _listen_to_sqlite(engine)
    else:
        _limit_transactions(engine)
        _never_pipeline(engine)
    return engine


@contextmanager
def closing_engine(engine: Engine) -> Iterator[Engine]:
    """Close the engine's connections in the end."""
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One write transaction: committed at the end, rolled back on any error."""
    with engine.connect().execution_options(**_WRITE) as connection, connection.begin():
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One read transaction: everything read in it is of one moment, whatever is committed meanwhile."""
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}  # SQLite's transactions are so anyway
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(**options)
        with connection.begin():
            yield connection


def _connect_args(backend: str) -> dict[str, Any]:
    if backend == "sqlite":
        return {"timeout": LOCK_WAIT_SECONDS}
    if backend == "postgresql":
        # a server that vanished without a word is noticed by keepalives or, while it owes us an acknowledgement, by the
        # user timeout; a statement that hangs by its time limit
        alive = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 15_000}
        # a statement that was prepared stays in a session, and behind a pooler the next transaction may have another one
        return {"connect_timeout": 5, **alive, "client_encoding": "utf8", "prepare_threshold": None}
    raise HipwatchError(f"a ledger lives in SQLite or PostgreSQL, and not in {backend}")


def _listen_to_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions begin where _on_begin says, not where the driver guesses
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
        connection.execute("PRAGMA synchronous=NORMAL")  # a lost last commit takes its offsets with it: nothing is lost

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("hipwatch_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _limit_transactions(engine: Engine) -> None:
    limits = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in _LIMITS.items())

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(f"SELECT {limits}")


def _never_pipeline(engine: Engine) -> None:
    """Psycopg sends the rows of an executemany in a pipeline: see `insert_rows`, which is there instead of it."""

    @event.listens_for(engine, "do_executemany")
    def _one_by_one(cursor: Any, statement: str, parameters: Sequence[Any], _context: object) -> bool:
        for values in parameters:
            cursor.execute(statement, values)
        return True


def _require_every_character(connection: Connection) -> None:
    """PostgreSQL keeps text in the encoding of the database, and most encodings have no Chinese or not all of it."""
    if connection.dialect.name != "postgresql":
        return
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
    if encoding != "UTF8":
        raise HipwatchError(
            f"the database {shown(connection.engine.url)} has the encoding {encoding}, which lacks Chinese characters: "
            "make one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
        )


def _find_file(engine: Engine, *, create: bool) -> None:
    """Before SQLite makes an empty file of whatever name it is given, readable for everybody."""
    name = engine.url.database
    if engine.dialect.name != "sqlite" or not name or name == ":memory:":
        return
    path = Path(name)
    if create:
        try:
            make_private_folder(path.parent)
        except OSError as error:
            raise HipwatchError(f"the folder of {path} cannot be made: {error.strerror}") from None
        _make_private(path)
    elif not path.exists():
        raise HipwatchError(f"there is no ledger {path}; run a worker or a replay first, or name another with --database")


def make_private_folder(path: Path) -> None:
    """Make a folder, and those above it that are missing, for its owner alone. Raises OSError."""
    if not path.exists():
        make_private_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)
    elif not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))


def _make_private(path: Path) -> None:
    """A ledger keeps dead letters as they came: its file is for its owner. SQLite gives the files beside it the same mode.

    Of a file that is there already, what all others may do with it is taken away; a group that was given access keeps it.
    """
    with suppress(OSError):  # SQLite says better than we do why a file cannot be made
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        return
    for file in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        with suppress(OSError):
            mode = stat.S_IMODE(file.stat().st_mode)
            if mode & 0o007 and stat.S_ISREG(file.stat().st_mode):
                file.chmod(mode & ~0o007)
