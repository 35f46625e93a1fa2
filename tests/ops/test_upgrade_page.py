"""Upgrade and rollback by the commands of docs/upgrade.md as they stand there: the old tables are back, the new ones are gone."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import inspect, make_url

from monitor.ledger import migrating
from monitor.ledger import versions as table_versions
from monitor.ledger.append import Ledger
from monitor.ledger.database import closing_engine, make_engine, reading, upgrade_database, writing
from schemas.errors import HipwatchError
from schemas.register import load_register
from tests.conftest import prepare
from tests.factories import make_batch, make_event
from tests.ops.test_postgresql import PASSWORD, psql, sqlalchemy_url
from tests.services.missing import program
from tests.services.postgres import PostgresServer

PAGE = Path(__file__).parents[2] / "docs" / "upgrade.md"
BACKENDS = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
EARLIER = "0009"
"""The tables of a release before this one's."""


@dataclass(frozen=True)
class Operated:
    """A ledger as its operator knows it. `reader` is the libpq URL of who only reads; None on SQLite."""

    backend: str
    url: str
    folder: Path
    reader: str | None = None

    def run_documented(self, heading: str) -> None:
        """The commands of a section that are for this database."""
        section = PAGE.read_text(encoding="utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
        lines = [line for block in re.findall(r"```sh\n(.*?)```", section, re.DOTALL) for line in block.splitlines()]
        mine = [line for line in lines if f"# {BACKENDS[self.backend]}" in line and "reader.sql" not in line]
        assert mine
        environment = {"HIPWATCH_DATABASE": self.url, "PATH": "/usr/local/bin:/usr/bin:/bin"}
        script = "\n".join(mine)
        done = subprocess.run(
            ["sh", "-ec", script], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (script, done.stderr)

    def upgrade(self) -> None:
        assert upgrade_database(self.url) == (EARLIER, table_versions.newest())
        if self.reader:
            psql("reader.sql", self.url.replace("+psycopg", ""), reader="reading")

    def tables(self) -> dict[str, int]:
        """How many rows each table has."""
        with closing_engine(make_engine(self.url)) as engine, reading(engine) as connection:
            names = inspect(connection).get_table_names()
            return {name: connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one() for name in names}


@pytest.fixture(params=BACKENDS)
def operated(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Operated]:
    """A ledger of an earlier release that has counted one event."""
    for needed in ("sqlite3", "pg_dump", "pg_restore"):
        program(needed, "sqlite3 postgresql")
    if request.param == "sqlite":
        yield counted(Operated("sqlite", f"sqlite:///{tmp_path / 'hipwatch.db'}", tmp_path))
        return
    with PostgresServer() as server:
        superuser = make_url(server.url()).set(drivername="postgresql")
        names = {"database": "watched", "owner": "counting", "reader": "reading"}
        psql("database.sql", superuser.render_as_string(hide_password=False), **names)
        owner, reader = (
            superuser.set(username=role, password=PASSWORD, database="watched").render_as_string(hide_password=False)
            for role in ("counting", "reading")
        )
        for role in ("counting", "reading"):
            server.execute(f"ALTER ROLE {role} PASSWORD '{PASSWORD}'")
        yield counted(Operated("postgresql", sqlalchemy_url(owner), tmp_path, reader))


def counted(operated: Operated) -> Operated:
    with closing_engine(make_engine(operated.url)) as engine:
        with writing(engine) as connection:
            migrating.migrate_to(connection, EARLIER)
        prepare(Ledger(engine, load_register().units)).append(make_batch(make_event()))
    if operated.reader:
        psql("reader.sql", operated.url.replace("+psycopg", ""), reader="reading")
    return operated


def test_an_upgrade_is_taken_back_by_the_documented_commands_and_made_again(operated: Operated) -> None:
    before = operated.tables()
    assert before["upload_day"] == 1
    operated.run_documented("The upgrade")
    operated.upgrade()
    assert operated.tables().keys() > before.keys()
    operated.run_documented("Back again")
    assert operated.tables() == before
    with closing_engine(make_engine(operated.url)) as engine, reading(engine) as connection:
        assert inspect(connection).get_view_names() == []
        with pytest.raises(HipwatchError, match=f"have version {EARLIER}"):
            table_versions.require_newest(connection)
    if operated.reader:
        with psycopg.connect(operated.reader) as reader:
            assert reader.execute("SELECT count(*) FROM upload_day").fetchone() == (1,)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute("SELECT * FROM dead_letter")
    operated.upgrade()
    assert operated.tables()["upload_day"] == 1
