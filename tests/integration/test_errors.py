"""What the user can mend is told in one clear sentence, with an exit code that is not 0, and soon."""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from socket import create_server

import pytest

from monitor.ledger.database import open_database
from tests.integration.prints import copy_of
from tests.integration.stack import Ended, Home, ask, ask_all, broker_of, free_port, home_in

NOBODY = "127.0.0.1:1"
"""A port on which nobody listens: TCP port 1 has been reserved for a service that no longer exists."""


def assert_one_sentence(ended: Ended, *words: str, code: int = 1) -> None:
    """One `error:` line that holds `words`, and nothing else."""
    assert ended.code == code, ended.told
    assert ended.out == "", ended.told
    lines = ended.err.splitlines()
    assert len(lines) == 1, ended.told
    assert lines[0].startswith("error: "), ended.told
    assert all(word in lines[0] for word in words), (words, ended.told)


def assert_wrong_usage(ended: Ended, *words: str) -> None:
    """The usage, and a box that holds `words`."""
    assert ended.code == 2, ended.told
    assert ended.out == "", ended.told
    assert "Traceback" not in ended.err, ended.told
    text = re.sub(r"[\s│]+", " ", ended.err)
    assert all(word in text for word in words), (words, ended.told)


# Commands that wait for a broker wait side by side.
NO_BROKER: Sequence[tuple[str, ...]] = (
    ("worker", "--bootstrap", NOBODY),
    ("simulate", "2020-01", "--bootstrap", NOBODY),
    ("replay", "2020-01", "--verify", "--bootstrap", NOBODY),
    ("worker", "--bootstrap", "nowhere"),
)


@pytest.fixture(scope="module")
def without_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Ended]]:
    with home_in(tmp_path_factory.mktemp("no-broker")) as home:
        yield [ask(home, *command) for command in NO_BROKER]  # one by one: each has its patience to itself


@pytest.mark.parametrize("number", range(len(NO_BROKER)), ids=[" ".join(command) for command in NO_BROKER])
def test_a_broker_that_does_not_answer_is_named_within_fifteen_seconds(without_broker: list[Ended], number: int) -> None:
    ended = without_broker[number]
    assert_one_sentence(ended, "no Kafka broker answers at", NO_BROKER[number][-1])
    assert ended.seconds < 20, "ten seconds of patience, and a machine that does other things too"


def test_a_broker_that_speaks_plain_text_is_told_from_one_that_is_not_there(home: Home, broker: str, tmp_path: Path) -> None:
    tls, login = tmp_path / "tls.toml", tmp_path / "login.toml"
    tls.write_text('security_protocol = "SSL"\n', encoding="utf-8")
    login.write_text('security_protocol = "SASL_SSL"\nsasl_mechanism = "PLAIN"\nsasl_username = "hip"\n', encoding="utf-8")
    options = ("--bootstrap", broker, "--kafka-config")
    commands = [("worker", *options, tls), ("simulate", "2020-01", *options, login), ("check-config", *options, tls)]
    worker, simulate, check = ask_all(home, commands, settings={"HIPWATCH_KAFKA_PASSWORD": "a-secret"})
    sentence = f"the broker at {broker} seems to speak plain text, and security_protocol is"
    assert_one_sentence(worker, f"{sentence} SSL")
    assert_one_sentence(simulate, f"{sentence} SASL_SSL")
    assert check.code == 1, check.told
    assert f"wrong    broker: {sentence} SSL" in check.out, check.told
    assert "a-secret" not in "".join(ended.told for ended in (worker, simulate, check))


@pytest.mark.parametrize("address", ["host:notaport", "host:99999", "", " , ", "[::1", "a b:9092"])
def test_what_cannot_be_a_brokers_address_is_refused_at_once(home: Home, address: str) -> None:
    for ended in ask_all(
        home,
        [
            ("worker", "--bootstrap", address),
            ("simulate", "2020-01", "--bootstrap", address),
            ("replay", "2020-01", "--verify", "--bootstrap", address),
        ],
    ):
        assert_one_sentence(ended, "HOST:PORT", address.strip(" ,"))
    assert not home.ledger.exists()


def test_what_cannot_begin_a_topics_name_is_refused(home: Home) -> None:
    ended = ask(home, "simulate", "2020-01", "--bootstrap", NOBODY, "--topic-prefix", "a b")
    assert_one_sentence(ended, "'a b' cannot begin a topic's name")


def test_workers_of_ones_own_need_a_broker_and_a_ledger(home: Home) -> None:
    assert_one_sentence(ask(home, "replay", "2020-01", "--workers", "0"), "--bootstrap", "--database")


def test_a_scenario_that_does_not_exist_or_is_malformed_is_named_with_the_place(home: Home, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    letters, columns, ragged, stranger = (copy_of("2020-01", tmp_path / name) for name in ("letter", "column", "ragged", "who"))
    change(letters / "collection_districts.csv", "4492052", "449x052")
    change(columns / "collection_hospitals.csv", "upload_days", "upload_dayz")
    change(ragged / "collection_hospitals.csv", "南京市儿童医院,70", "南京市儿童医院,70,70")
    change(stranger / "collection_districts.csv", "鼓楼区", "鼓搂区")
    month = ("--period", "2020-01", "--verify")
    endings = ask_all(
        home,
        [
            ("replay", "2020-02", "--verify"),
            ("replay", tmp_path / "nothing", "--verify"),
            ("replay", empty, *month),
            ("replay", letters, *month),
            ("replay", columns, *month),
            ("replay", ragged, *month),
            ("replay", stranger, *month),
            ("replay", letters, "--verify"),
            ("replay", "2020-01", "--expect", tmp_path / "nothing"),
            ("replay", "2020-01", "--expect", letters),
        ],
    )
    words = [
        ("'2020-02'", "2020-01, 2024-09"),
        (str(tmp_path / "nothing"), "2020-01, 2024-09"),
        (str(empty), "collection_districts.csv"),
        ("collection_districts.csv, line 2, column records_uploaded", "449x052"),
        ("collection_hospitals.csv, line 1, column ", "upload_dayz"),
        ("collection_hospitals.csv, line 3", "columns"),
        ("collection_districts.csv, line ", "column unit", "鼓搂区"),
        ("collection_districts.csv, line 2, column records_uploaded", "449x052"),
        (str(tmp_path / "nothing"),),
        ("collection_districts.csv, line 2, column records_uploaded", "449x052"),
    ]
    for ended, expected in zip(endings, words, strict=True):
        assert_one_sentence(ended, *expected)
    assert home.processes() == {}


def test_a_folder_without_a_period_and_a_period_that_is_none_are_refused(home: Home, tmp_path: Path) -> None:
    nameless = copy_of("2020-01", tmp_path / "some-month")
    endings = ask_all(
        home,
        [
            ("replay", nameless, "--verify"),
            ("replay", nameless, "--period", "2020-13", "--verify"),
            ("simulate", "2020-01", "--period", "January", "--bootstrap", NOBODY),
            ("report", "2020-1"),
            ("demo", "--period", "2020-02", "--once"),
        ],
    )
    words = [("--period", "some-month"), ("'2020-13'",), ("'January'",), ("'2020-1'", "YYYY-MM"), ("'2020-02'",)]
    for ended, expected in zip(endings, words, strict=True):
        assert_one_sentence(ended, *expected)


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_what_is_no_ledger_is_named_by_whoever_should_read_or_write_it(home: Home, tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("this is prose, and long enough for a database header " * 20, encoding="ascii")
    (tmp_path / "folder.db").mkdir()
    make_corrupt(tmp_path / "corrupt.db")
    readers: list[Sequence[str | Path]] = []
    for name in ("text.db", "folder.db", "corrupt.db"):
        place = f"sqlite:///{tmp_path / name}"
        readers += [("report", "2020-01", "--database", place), ("serve", "--port", str(free_port()), "--database", place)]
    for (*_, url), ended in zip(readers, ask_all(home, readers), strict=True):
        assert_one_sentence(ended, str(url), "database")


def make_corrupt(path: Path) -> None:
    """A database whose header is whole and whose first pages are not."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE a (b)")
        connection.executemany("INSERT INTO a VALUES (?)", [("x" * 200,)] * 2000)
    content = bytearray(path.read_bytes())
    content[100:3000] = b"\xff" * 2900
    path.write_bytes(content)


def test_a_database_that_cannot_be_is_named(home: Home, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    serve = ("serve", "--port", str(free_port()))
    endings = ask_all(
        home,
        [
            (*serve, "--database", "oracle9://somewhere"),
            (*serve, "--database", "no url"),
            (*serve, "--database", f"sqlite:///{tmp_path / 'file' / 'ledger.db'}"),
            ("report", "2020-01", "--database", f"sqlite:///{tmp_path / 'none.db'}"),
            ("incidents",),
        ],
    )
    words = [
        ("oracle9",),
        ("not a database URL",),
        (str(tmp_path / "file"),),
        (str(tmp_path / "none.db"),),
        ("no ledger hipwatch.db",),
    ]
    for ended, expected in zip(endings, words, strict=True):
        assert_one_sentence(ended, *expected)
    assert not (tmp_path / "none.db").exists(), "a reader makes no ledger"


def test_a_home_in_which_nothing_can_be_written_is_named(home: Home, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for command in (("replay", "2020-01"), ("demo", "--once")):
        ended = ask(home, *command, settings={"HIPWATCH_HOME": str(tmp_path / "file")})
        assert_one_sentence(ended, str(tmp_path / "file"), "HIPWATCH_HOME")


def test_a_locked_ledger_is_named_by_every_writer_in_either_journal_mode(home: Home, tmp_path: Path) -> None:
    ledgers = {mode: tmp_path / f"{mode}.db" for mode in ("wal", "delete")}
    with broker_of(home) as broker, ExitStack() as locks:
        writers: list[Sequence[str | Path]] = []
        for mode, file in ledgers.items():
            ledger = f"sqlite:///{file}"
            open_database(ledger, create=True).dispose()
            other = locks.enter_context(closing(sqlite3.connect(file, isolation_level=None)))
            assert other.execute(f"PRAGMA journal_mode={mode}").fetchone() == (mode,)
            other.execute("BEGIN EXCLUSIVE")
            writers += [
                ("worker", "--bootstrap", broker, "--database", ledger),
                ("serve", "--port", str(free_port()), "--database", ledger),
                ("replay", "2020-01", "--verify", "--database", ledger),
            ]
        for (*_, url), ended in zip(writers, ask_all(home, writers), strict=True):
            assert_one_sentence(ended, str(url), "locked")


def test_a_port_in_use_is_named(home: Home) -> None:
    with create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert_one_sentence(ask(home, "serve", "--port", port), f"127.0.0.1:{port}", "in use")


def test_a_token_file_that_is_missing_or_empty_is_named(home: Home, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for name in ("none", "empty"):
        ended = ask(home, "serve", "--port", str(free_port()), "--webhook-token-file", tmp_path / name)
        assert_one_sentence(ended, str(tmp_path / name))


def test_wrong_usage_shows_the_usage_and_names_the_value(home: Home) -> None:
    endings = ask_all(
        home,
        [
            ("worker", "--bootstrap", NOBODY, "--log-level", "loud"),
            ("serve", "--log-level", "loud"),
            ("report", "2020-01", "--format", "xml"),
            ("worker",),
            ("nonsense",),
        ],
    )
    words = [("--log-level", "'loud'"), ("--log-level", "'loud'"), ("--format", "xml"), ("HIPWATCH_BOOTSTRAP",), ("nonsense",)]
    for ended, expected in zip(endings, words, strict=True):
        assert_wrong_usage(ended, *expected)
