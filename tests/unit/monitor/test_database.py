"""What SQLite files can do to us; the same for a server is the business of the contract tests."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import text

from monitor.judgement.judge import take_snapshot
from monitor.judgement.rhythms import Rhythms
from monitor.ledger import database
from monitor.ledger.append import Ledger
from monitor.ledger.database import open_database, writing
from monitor.ledger.errors import LedgerUnavailable, friendly_errors
from monitor.ledger.statements import table_of, upsert
from monitor.ledger.tables import DeadLetterCount
from schemas.errors import HipwatchError
from schemas.register import Register
from tests.conftest import prepare
from tests.factories import UNITS, make_batch, make_event

NOBODY = 65534


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture(autouse=True)
def _short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "LOCK_WAIT_SECONDS", 0.05)


def url(path: Path) -> str:
    return f"sqlite:///{path}"


def opened(path: Path) -> Ledger:
    return prepare(Ledger(open_database(url(path), create=True), UNITS))


def sentence(error: pytest.ExceptionInfo[HipwatchError], path: Path) -> str:
    message = str(error.value)
    assert "\n" not in message
    assert str(path) in message
    assert "(Background on this error" not in message
    return message


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


def test_a_locked_database_is_one_sentence_and_counts_afterwards(path: Path) -> None:
    ledger = opened(path)
    with locked(path), pytest.raises(LedgerUnavailable) as error:
        ledger.append(make_batch(make_event()))
    assert sentence(error, path).endswith("is locked by another process")
    assert ledger.append(make_batch(make_event())).accepted == 1


def test_a_database_that_is_locked_at_the_start_is_one_sentence(path: Path) -> None:
    opened(path)
    with locked(path), pytest.raises(LedgerUnavailable) as error:
        open_database(url(path), create=True)
    assert sentence(error, path).endswith("is locked by another process")


def test_reading_goes_on_while_another_process_writes(path: Path, register: Register) -> None:
    ledger = opened(path)
    with locked(path):
        assert len(ledger.next_offsets()) == 8


def test_a_file_that_is_no_database_is_one_sentence(path: Path) -> None:
    path.write_bytes(b"rank,unit,scheduled_records\n" * 100)
    for create in (True, False):
        with pytest.raises(HipwatchError) as error:
            open_database(url(path), create=create)
        assert "is not a ledger: the file is no SQLite database" in sentence(error, path)
    assert path.read_bytes().startswith(b"rank,unit"), "and it is left as it was"


def test_a_database_without_our_tables_is_not_a_ledger(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE addresses (name TEXT)")
    with pytest.raises(HipwatchError, match="is not a ledger: it lacks our tables"):
        open_database(url(path), create=False)


def test_a_corrupt_database_is_one_sentence(path: Path) -> None:
    ledger = opened(path)
    ledger.append(make_batch(*(make_event(sequence=n, series=f"run {n}") for n in range(1, 300))))
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    engine = database.make_engine(url(path))
    with pytest.raises(HipwatchError) as error:
        Ledger(engine, UNITS).append(make_batch(make_event(), first=299))
    assert sentence(error, path).endswith("is corrupt: SQLite cannot read it (restore a backup)")


def test_a_ledger_that_is_not_there_is_not_made_by_a_reader(path: Path) -> None:
    with pytest.raises(HipwatchError, match="there is no ledger") as error:
        open_database(url(path), create=False)
    assert "--database" in sentence(error, path)
    assert not path.exists()


def test_a_writer_makes_the_missing_folder(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "down" / "ledger.db"
    assert opened(path).next_offsets()


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    path = tmp_path / "file" / "ledger.db"
    with pytest.raises(HipwatchError) as error:
        open_database(url(path), create=True)
    assert "cannot be made" in sentence(error, path)


def test_a_folder_is_no_ledger(tmp_path: Path) -> None:
    for create in (True, False):
        with pytest.raises(LedgerUnavailable) as error:
            open_database(url(tmp_path), create=create)
        assert sentence(error, tmp_path).endswith("cannot be opened")


@contextmanager
def without_privileges() -> Iterator[None]:
    """As a user who is not allowed everything, if we are one who is."""
    if os.geteuid() != 0:
        yield
        return
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A ledger to be, in a folder that everybody may enter; pytest's own folders are for their owner alone."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "ledger.db"


def test_a_ledger_that_may_only_be_read_is_one_sentence(open_path: Path) -> None:
    engine = open_database(url(open_path), create=True)
    engine.dispose()
    open_path.chmod(0o444)
    with without_privileges(), pytest.raises(LedgerUnavailable) as error:
        open_database(url(open_path), create=True)
    assert sentence(error, open_path).endswith("is read-only")


@pytest.mark.parametrize("text", ["", "ledger.db", "oracle://host/ledger", "nonsense://x", "mysql://host/ledger"])
def test_what_is_no_database_url_is_refused(text: str) -> None:
    with pytest.raises(HipwatchError) as error:
        open_database(text, create=True)
    assert "\n" not in str(error.value)


def test_a_transaction_that_fails_is_rolled_back(path: Path) -> None:
    engine = open_database(url(path), create=True)

    def write_and_fail() -> None:
        with friendly_errors(engine), writing(engine) as connection:
            connection.execute(text("INSERT INTO active_hour (hour) VALUES (1)"))
            connection.execute(text("INSERT INTO active_hour (hour) VALUES (1)"))

    with pytest.raises(HipwatchError):
        write_and_fail()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM active_hour")).scalar() == 0


def test_a_write_transaction_that_begins_by_reading_has_the_lock_already(path: Path) -> None:
    # else what it has read could be outdated when it writes, and SQLite would refuse it however long it waited
    engine = open_database(url(path), create=True)
    with writing(engine) as connection, closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other:
        connection.execute(text("SELECT count(*) FROM active_hour"))
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("INSERT INTO active_hour (hour) VALUES (1)")
        connection.execute(text("INSERT INTO active_hour (hour) VALUES (2)"))


def test_a_mistake_of_ours_is_not_taken_for_a_database_that_is_away(path: Path) -> None:
    engine = open_database(url(path), create=True)
    with pytest.raises(HipwatchError) as error, friendly_errors(engine), writing(engine) as connection:
        connection.execute(text("INSERT INTO active_hour (hour) VALUES (1), (1)"))
    assert not isinstance(error.value, LedgerUnavailable), "waiting would not help"


def test_an_upsert_of_nothing_does_nothing(path: Path) -> None:
    engine = open_database(url(path), create=True)
    with writing(engine) as connection:
        upsert(connection, table_of(DeadLetterCount), [], add=("total",))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM dead_letter_count")).scalar() == 0


def test_opening_twice_keeps_what_is_there(path: Path, register: Register) -> None:
    opened(path).append(make_batch(make_event()))
    again = opened(path)
    assert again.next_offsets()["id-of-cda-documents", 0] == 1
    reader = open_database(url(path), create=False)
    assert sum(counts.accepted for counts in take_snapshot(reader, register, Rhythms()).facts.topics.values()) == 1


def modes_of(path: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}


def test_a_ledger_and_the_files_beside_it_are_for_their_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        path = tmp_path / "new" / "ledger.db"
        engine = open_database(url(path), create=True)
        with writing(engine) as connection:
            connection.execute(text("INSERT INTO active_hour (hour) VALUES (1)"))
            assert modes_of(path) == {"ledger.db": 0o600, "ledger.db-wal": 0o600, "ledger.db-shm": 0o600}
        assert path.parent.stat().st_mode & 0o777 == 0o700
    finally:
        os.umask(before)


def test_a_ledger_of_the_first_release_is_closed_to_all_others_and_not_to_its_group(path: Path) -> None:
    opened(path)
    path.chmod(0o664)
    opened(path)
    assert path.stat().st_mode & 0o777 == 0o660


def test_a_file_with_tables_of_somebody_else_gets_none_of_ours(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE addresses (name TEXT)")
    with pytest.raises(HipwatchError, match=r"holds tables of others \(addresses, 1 in all\)"):
        open_database(url(path), create=True)
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("addresses",)]
