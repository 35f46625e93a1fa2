"""Backup and restore by the commands of docs/operations.md: from an older backup a worker counts on to the very same figures."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import create_engine, inspect, text

from tests.integration.months import NEW, OLD, write_month
from tests.integration.stack import Started, broker_of, end, home_in, running, wait_until
from tests.services.missing import program
from tests.services.postgres import PostgresServer

OPERATIONS: Final = Path(__file__).parents[2] / "docs" / "operations.md"
BACKENDS: Final = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
FAULTS: Final = {"duplicates": 0.05, "reordered": 0.05, "gaps": 0.05, "poison": 0.05}
OF_THE_WALL: Final = {"first_at", "last_at", "received_at", "published_at", "settled_at", "advanced_at", "complete_until"}
"""Columns that say when we counted, not what."""
OF_THE_LEDGER: Final = {"feed_hour", "ledger_key", "receipt_run"}
"""A ledger's own key, what is hashed with it, and when feeds were heard: as its batches came."""
Figures = dict[str, list[str]]


@dataclass(frozen=True)
class Ledger:
    """A ledger as its operator knows it: a database URL, and the folder in which the commands run."""

    backend: str
    database: str
    folder: Path

    def run_documented(self, block: int) -> None:
        """Run the lines of the runbook's backup (0) or restore (1) that are for this database."""
        section = OPERATIONS.read_text(encoding="utf-8").partition("## Backup and restore")[2].partition("\n## ")[0]
        script = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
        backup, restore = ([line for line in lines.splitlines() if f"# {BACKENDS[self.backend]}" in line] for lines in script)
        url = [line for line in backup if line.startswith("URL=")]
        lines = [backup, [*url, *restore]][block]
        environment = {"HIPWATCH_DATABASE": self.database, "PATH": "/usr/local/bin:/usr/bin:/bin"}
        done = subprocess.run(
            ["sh", "-ec", "\n".join(lines)], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (lines, done.stderr)

    def passed(self) -> int:
        """Messages that it has passed; 0 while it has no tables."""
        engine = create_engine(self.database)
        try:
            if not inspect(engine).has_table("source_offset"):
                return 0
            with engine.connect() as connection:
                return int(connection.execute(text("SELECT coalesce(sum(next_offset), 0) FROM source_offset")).scalar_one())
        finally:
            engine.dispose()

    def figures(self) -> Figures:
        """Every row of every table, without the times at which it was written."""
        engine = create_engine(self.database)
        found = {}
        with engine.connect() as connection:
            for table in inspect(engine).get_table_names():
                if table in OF_THE_LEDGER:
                    continue
                rows = connection.execute(text(f"SELECT * FROM {table}")).mappings()
                found[table] = sorted(str(sorted((k, str(v)) for k, v in row.items() if k not in OF_THE_WALL)) for row in rows)
        engine.dispose()
        return found


@dataclass(frozen=True)
class Story:
    """What a ledger held at the end, right after the restore, and after a worker had gone on from there."""

    end: Figures
    restored: Figures
    again: Figures


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer) -> Iterator[dict[str, Story]]:
    folder = tmp_path_factory.mktemp("backup")
    for needed in ("sqlite3", "pg_dump", "pg_restore"):
        program(needed, "sqlite3 postgresql")
    ledgers = [
        Ledger("sqlite", f"sqlite:///{folder / 'hipwatch.db'}", folder),
        Ledger("postgres", postgres.new_database(), folder),
    ]
    with home_in(folder) as home, broker_of(home) as broker, ExitStack() as workers:
        first = write_month(folder / "first", 31, OLD, units=5, faults=FAULTS)
        second = write_month(folder / "second", 32, NEW, units=5, faults=FAULTS)
        publish = home.run("simulate", first.folder, "--bootstrap", broker, "--period", "2023-02")
        assert publish.code == 0, publish.told
        sent = messages(publish.out)

        def count(ledger: Ledger) -> Started:
            options = ("--bootstrap", broker, "--database", ledger.database, "--group", ledger.backend, "--session-timeout", "2")
            return workers.enter_context(running(home, "worker", *options))

        counting = [count(ledger) for ledger in ledgers]
        wait_until(lambda: all(ledger.passed() == sent for ledger in ledgers), "the first month is counted")
        slowly = ("--period", "2023-02", "--day-seconds", "0.3")
        with running(home, "simulate", second.folder, "--bootstrap", broker, *slowly) as more:
            wait_until(lambda: all(ledger.passed() > sent for ledger in ledgers), "the second month is being counted")
            for ledger in ledgers:
                ledger.run_documented(0)
            publish = more.wait()
        assert publish.code == 0, publish.told
        sent += messages(publish.out)
        wait_until(lambda: all(ledger.passed() == sent for ledger in ledgers), "everything is counted")
        for worker in counting:
            end(worker)
        finals = [ledger.figures() for ledger in ledgers]
        for ledger in ledgers:
            ledger.run_documented(1)
        restored = [ledger.figures() for ledger in ledgers]
        counting = [count(ledger) for ledger in ledgers]
        wait_until(lambda: all(ledger.passed() == sent for ledger in ledgers), "everything is counted again")
        for worker in counting:
            end(worker)
        again = [ledger.figures() for ledger in ledgers]
        yield {ledger.backend: Story(*parts) for ledger, *parts in zip(ledgers, finals, restored, again, strict=True)}


def messages(out: str) -> int:
    found = re.search(r": (\d+) messages published", out)
    assert found is not None, out
    return int(found[1])


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_backup_that_was_taken_while_a_worker_counted_holds_an_earlier_moment(stories: dict[str, Story], backend: str) -> None:
    story = stories[backend]
    assert story.restored["upload_day"]
    assert story.restored["source_offset"] != story.end["source_offset"]
    assert story.restored["stream_state"] != story.end["stream_state"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_worker_counts_on_from_a_restored_backup_to_the_very_same_figures(stories: dict[str, Story], backend: str) -> None:
    story = stories[backend]
    assert story.end["dead_letter"], "the faults are there"
    assert story.again == story.end


def test_both_databases_hold_the_same_figures(stories: dict[str, Story]) -> None:
    assert stories["sqlite"].end == stories["postgres"].end
