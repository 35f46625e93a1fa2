"""A database that takes no more: read-only, or its disk full. A worker waits for it, and counts on when it takes again."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from broker.connection import KafkaConnection
from tests.contract.until import until
from tests.faults.small_disk import SmallDisk, small_disk
from tests.faults.stage import SESSION_SECONDS, Stage, new_prefix, once
from tests.faults.stream import Stream
from tests.services.kafka import KafkaServer
from tests.services.postgres import PostgresServer

RATE: Final = 500


def assert_waits_and_counts_on(stage: Stage, close: Callable[[], None], words: str, reopen: Callable[[], None]) -> None:
    """`close` makes the ledger take nothing, of which the worker says `words`, until `reopen`."""
    worker = stage.counting("a")
    with Stream(stage.kafka, rate=RATE) as stream:
        until(lambda: stage.passed() > RATE)
        members = stage.members()
        close()
        until(lambda: worker.said("waiting for the ledger"))
        before = stage.counts()
        time.sleep(2 * SESSION_SECONDS)
        assert stage.counts() == before, "nothing is half-written"
        assert stage.members() == members, "it has kept its membership"
        reopen()
        until(lambda: stage.passed() > before.passed)
    until(lambda: stage.passed() >= stream.sent)

    assert stage.counts() == once(stream.sent)
    assert stage.members() == members
    assert worker.said(words)
    assert worker.running
    assert not worker.said("Traceback")


def test_a_worker_waits_for_a_database_that_is_read_only(stage: Stage, database: PostgresServer) -> None:
    assert_waits_and_counts_on(stage, database.forbid_writes, "is read-only", database.allow_writes)


def test_a_worker_does_not_start_on_a_read_only_database_and_says_so(stage: Stage, database: PostgresServer) -> None:
    ledger, empty = stage.database, database.new_database()
    database.forbid_writes()
    for url in (ledger, empty):
        stage.database = url
        assert "is read-only" in stage.sentence()


@pytest.fixture
def sqlite_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", megabytes=12) as disk:
        yield disk


@pytest.fixture
def sqlite_stage(broker: KafkaServer, sqlite_disk: SmallDisk, tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(KafkaConnection(broker.bootstrap, new_prefix()), f"sqlite:///{sqlite_disk.folder}/ledger.db", tmp_path)
    yield stage
    stage.close()


def test_a_worker_waits_for_room_on_the_disk_of_its_file(sqlite_stage: Stage, sqlite_disk: SmallDisk) -> None:
    assert_waits_and_counts_on(sqlite_stage, sqlite_disk.fill, "the disk is full", sqlite_disk.clear)


def test_a_worker_does_not_start_where_there_is_no_room_for_its_file(sqlite_stage: Stage, sqlite_disk: SmallDisk) -> None:
    sqlite_disk.fill()
    sqlite_stage.database = sqlite_stage.database.replace("ledger.db", "another.db")
    assert "the disk is full" in sqlite_stage.sentence()


class Cramped(NamedTuple):
    """A stage whose PostgreSQL database lies on a small disk."""

    stage: Stage
    disk: SmallDisk


@pytest.fixture
def cramped(broker: KafkaServer, database: PostgresServer, tmp_path: Path) -> Iterator[Cramped]:
    with small_disk(database.directory / "small", megabytes=32, owner="postgres") as disk:
        database.execute(f"CREATE TABLESPACE small LOCATION '{disk.folder}'")
        url = database.new_database("TABLESPACE small")
        stage = Stage(KafkaConnection(broker.bootstrap, new_prefix()), url, tmp_path)
        yield Cramped(stage, disk)
        stage.close()
        disk.clear()
        database.drop_database(url)
        database.execute("DROP TABLESPACE small")


def test_a_worker_waits_for_room_on_the_disk_of_its_database(cramped: Cramped) -> None:
    assert_waits_and_counts_on(cramped.stage, cramped.disk.fill, "the disk is full", cramped.disk.clear)
