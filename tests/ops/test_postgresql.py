"""The SQL that makes a ledger's database: the owner counts, the reader reads, and neither does more."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest
from sqlalchemy import make_url

from hipwatch.local.processes import hipwatch_command
from monitor.ledger.append import Ledger
from monitor.ledger.database import closing_engine, open_database
from schemas.register import load_register
from tests.conftest import prepare
from tests.factories import make_batch, make_event, make_letter
from tests.ops.tools import OPS, program
from tests.services.postgres import PostgresServer
from tests.services.process import clean_environment

PASSWORD = "of-this-test"


@dataclass(frozen=True)
class Ledgers:
    """One ledger, as its owner and as a reader sees it; `outsider` is another role of the server."""

    owner: str
    reader: str
    outsider: str


@pytest.fixture(scope="module")
def ledgers() -> Iterator[Ledgers]:
    with PostgresServer() as server:
        superuser = make_url(server.url()).set(drivername="postgresql")
        names = {"database": "watched", "owner": "counting", "reader": "reading"}
        psql("database.sql", superuser.render_as_string(hide_password=False), **names)
        server.execute("CREATE ROLE outsider LOGIN")
        urls = {}
        for role in ("counting", "reading", "outsider"):
            server.execute(f"ALTER ROLE {role} PASSWORD '{PASSWORD}'")
            url = superuser.set(username=role, password=PASSWORD, database="watched")
            urls[role] = url.render_as_string(hide_password=False)
        with closing_engine(open_database(sqlalchemy_url(urls["counting"]), create=True)) as engine:
            ledger = prepare(Ledger(engine, load_register().units))
            ledger.append(make_batch(make_event(), dead_letters=[make_letter(offset=1)]))
        psql("reader.sql", urls["counting"], reader="reading")
        yield Ledgers(urls["counting"], urls["reading"], urls["outsider"])


def psql(file: str, url: str, **variables: str) -> None:
    settings = [word for name, value in variables.items() for word in ("-v", f"{name}={value}")]
    command = [program("psql"), "--no-psqlrc", "--quiet", *settings, "--file", str(OPS / "postgresql" / file), url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def sqlalchemy_url(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def test_a_reader_prints_the_report(ledgers: Ledgers) -> None:
    command = hipwatch_command("report", "2024-09", "--format", "json")
    env = {**clean_environment(), "HIPWATCH_DATABASE": sqlalchemy_url(ledgers.reader)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "gulou" in done.stdout


@pytest.mark.parametrize("view", ["bulletin_month", "unit_status", "table_ladder"])
def test_a_reader_sees_the_views_of_dashboards(ledgers: Ledgers, view: str) -> None:
    with psycopg.connect(ledgers.reader) as connection:
        assert connection.execute(f"SELECT count(*) FROM {view}".encode()).fetchone() == (0,)  # `serve` has not run here


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM dead_letter",
        "SELECT * FROM ledger_key",
        "DELETE FROM incident",
        "SET default_transaction_read_only = off; DELETE FROM incident",
        "SET default_transaction_read_only = off; CREATE TABLE mine (number int)",
    ],
)
def test_a_reader_sees_no_senders_bytes_and_no_key_and_changes_nothing(ledgers: Ledgers, statement: str) -> None:
    with psycopg.connect(ledgers.reader) as connection:
        assert connection.execute("SELECT count(*) FROM dead_letter_count").fetchone() is not None
        connection.rollback()
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)):
            connection.execute(statement.encode())


def test_nobody_else_gets_in(ledgers: Ledgers) -> None:
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(ledgers.outsider)
