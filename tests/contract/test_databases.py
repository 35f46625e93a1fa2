"""PostgreSQL as it is found in the field: behind a pooler, in the wrong encoding, somebody else's, mistyped."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, make_url, text

from monitor.bulletin.build import build_bulletin
from monitor.ledger import month as month_queries
from monitor.ledger.append import Ledger
from monitor.ledger.database import init_database, make_engine, open_database, reading, writing
from monitor.ledger.month import read_month
from schemas.errors import HipwatchError
from schemas.period import Period
from schemas.register import Register
from tests.conftest import prepare
from tests.factories import UNIT, UNITS, make_batch, make_event
from tests.services.pgbouncer import PgBouncer
from tests.services.postgres import PostgresServer

SEPTEMBER = Period(2024, 9)


@pytest.fixture(scope="module")
def pooler(postgres: PostgresServer) -> Iterator[PgBouncer]:
    with PgBouncer(postgres) as pooler:
        yield pooler


@pytest.fixture
def own_database(postgres: PostgresServer) -> Iterator[str]:
    url = postgres.new_database()
    yield url
    postgres.drop_database(url)


def changed(url: str, **parts: str) -> str:
    return make_url(url).set(**parts).render_as_string(hide_password=False)  # type: ignore[arg-type]


def sentence_of(url: str, *, create: bool = True) -> str:
    with pytest.raises(HipwatchError) as caught:
        open_database(url, create=create)
    message = str(caught.value)
    assert "\n" not in message
    assert str(make_url(url).password) not in message
    return message


def test_a_ledger_behind_a_transaction_pooler_counts_and_reports(
    pooler: PgBouncer, own_database: str, register: Register
) -> None:
    engine = open_database(pooler.url(own_database), create=True)
    ledger = prepare(Ledger(engine, UNITS))
    turns = [make_batch(make_event(sequence=n), first=n - 1) for n in range(1, 41)]

    def read(_: int) -> None:
        for _ in range(20):  # beside the writer, so that the pooler deals our transactions out to several sessions
            build_bulletin(read_month(engine, SEPTEMBER), register)

    with ThreadPoolExecutor(3) as readers:
        reads = [readers.submit(read, number) for number in range(3)]
        assert sum(ledger.append(batch).accepted for batch in turns) == 40
        for done in reads:
            done.result()
    assert build_bulletin(read_month(engine, SEPTEMBER), register).cell(UNIT, "scheduled_records") == 400
    engine.dispose()


def test_time_limits_hold_in_each_transaction_and_stay_in_no_session(pooler: PgBouncer, own_database: str) -> None:
    engine = open_database(pooler.url(own_database), create=True)
    names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
    for transaction in (writing, reading):
        with transaction(engine) as connection:
            assert [connection.execute(text(f"SHOW {name}")).scalar() for name in names] == ["10s", "1min", "5s"]
    engine.dispose()
    with psycopg.connect(pooler.url(own_database).replace("+psycopg", ""), prepare_threshold=None) as stranger:
        assert [stranger.execute(f"SHOW {name}".encode()).fetchone() for name in names] == [("0",)] * 3


@pytest.mark.parametrize(("encoding", "locale"), [("SQL_ASCII", "C"), ("LATIN1", "C"), ("EUC_CN", "C")])
def test_an_encoding_without_all_chinese_characters_is_refused_by_whoever_opens_it(
    postgres: PostgresServer, encoding: str, locale: str
) -> None:
    url = postgres.new_database(f"ENCODING '{encoding}' LOCALE '{locale}' TEMPLATE template0")
    for create in (True, False):
        message = sentence_of(url, create=create)
        assert f"has the encoding {encoding}" in message
        assert "ENCODING 'UTF8'" in message
    with make_engine(url).connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")).scalar() == 0
    postgres.drop_database(url)


def test_a_database_a_role_and_a_ledger_that_are_missing_are_told_apart(postgres: PostgresServer, own_database: str) -> None:
    postgres.execute("CREATE ROLE no_login PASSWORD 'of no use'")
    postgres.execute("CREATE ROLE may_nothing LOGIN PASSWORD 'of no use'")
    nothing = sentence_of(changed(own_database, database="ledgre"))
    stranger = sentence_of(changed(own_database, username="nobody"))
    outsider = sentence_of(changed(own_database, username="no_login", password="of no use"))
    empty = sentence_of(own_database, create=False)
    powerless = sentence_of(changed(own_database, username="may_nothing", password="of no use"))
    assert "does not exist on that server" in nothing
    assert "CREATE DATABASE" in nothing
    assert "refuses this role's password, or has no such role" in stranger
    assert "ALTER ROLE" in outsider
    assert "is not a ledger: it lacks our tables, and is empty" in empty
    assert "does not let this role do what it has to" in powerless
    for role in ("no_login", "may_nothing"):
        postgres.execute(f"DROP ROLE {role}")


def test_a_pooler_that_does_not_know_the_database_is_understood(pooler: PgBouncer, own_database: str) -> None:
    assert "does not exist on that server" in sentence_of(changed(pooler.url(own_database), database="ledgre"))


def test_a_database_of_somebody_else_gets_no_tables_unless_it_is_said(own_database: str) -> None:
    others = make_engine(own_database)
    with writing(others) as connection:
        connection.execute(text("CREATE TABLE patients (name TEXT)"))
    for create in (True, False):
        message = sentence_of(own_database, create=create)
        assert "holds tables of others (patients, 1 in all)" in message
        assert "hipwatch db init" in message
    assert tables_in(others) == ["patients"]
    init_database(own_database)
    open_database(own_database, create=False).dispose()
    assert "patients" in tables_in(others)
    others.dispose()


def tables_in(engine: Engine) -> Sequence[str]:
    with reading(engine) as connection:
        return list(connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars())


def test_a_bulletin_is_of_one_moment(ledger: Ledger, engine: Engine, register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    ask = month_queries._aggregates
    written = threading.Event()

    def count_one() -> None:
        ledger.append(make_batch(make_event()))
        written.set()

    def then_somebody_counts(*question: Any) -> object:
        found = ask(*question)
        if not written.is_set():  # between the month's records and the tables that were ever uploaded
            thread = threading.Thread(target=count_one)
            thread.start()
            thread.join()
        return found

    monkeypatch.setattr(month_queries, "_aggregates", then_somebody_counts)
    bulletin = build_bulletin(read_month(engine, SEPTEMBER), register)
    assert written.is_set()
    assert (bulletin.cell(UNIT, "tables_uploaded"), bulletin.cell(UNIT, "records_uploaded")) == (0, 0)
