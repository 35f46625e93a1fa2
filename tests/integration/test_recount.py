"""`hipwatch recount`: what was counted once is counted again from Kafka, and one number that was changed is found and named."""

import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition
from sqlalchemy import Row, create_engine, text

from broker.connection import KafkaConnection
from broker.topics import ensure_topics
from schemas.topics import PARTITIONS, Topic, topic_name
from tests.integration.ledgers import counted, counters
from tests.integration.months import NEW, write_month
from tests.integration.stack import Ended, Home, broker_of, home_in, running, wait_until
from tests.services.postgres import PostgresServer

MONTH = "2023-02"
FAULTS = {"duplicates": 0.05, "reordered": 0.05, "gaps": 0.05, "poison": 0.05}
TABLES = ("source_offset", "upload_day", "form_day", "stream_state", "open_gap", "receipt_run", "dead_letter", "feed_state")


@dataclass(frozen=True)
class Counted:
    """A month with faults on a broker, and two ledgers that have counted it."""

    home: Home
    broker: str
    sqlite: str
    postgres: str


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer) -> Iterator[Counted]:
    folder = tmp_path_factory.mktemp("recount")
    with home_in(folder) as home, broker_of(home) as broker:
        scenario = write_month(folder / "month", 32, NEW, units=7, faults=FAULTS)
        options = ("--period", MONTH, "--bootstrap", broker, "--database", home.database)
        replay = home.run("replay", scenario.folder, *options, settings={"HIPWATCH_SESSION_TIMEOUT": "2"})
        assert replay.code == 0, replay.told
        found = counters(home.ledger)
        assert min(found.duplicates, found.skipped, sum(found.dead_letters.values())) > 0, "the faults are there"
        other = postgres.new_database()
        with running(home, "worker", "--bootstrap", broker, "--database", other, "--session-timeout", "2", "--group", "other"):
            wait_until(lambda: passed(other) == counted(home.ledger), "PostgreSQL has counted the month")
        yield Counted(home, broker, home.database, other)


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, month: Counted) -> str:
    return str(getattr(month, request.param))


def passed(url: str) -> int:
    """Messages that the ledger has passed; 0 while it has no tables."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return int(connection.execute(text("SELECT coalesce(sum(next_offset), 0) FROM source_offset")).scalar_one())
    except Exception as error:
        if "does not exist" in str(error):
            return 0
        raise
    finally:
        engine.dispose()


def dump(url: str) -> dict[str, list[str]]:
    """Every row of the tables that a recount could spoil."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return {table: sorted(map(repr, connection.execute(text(f"SELECT * FROM {table}")))) for table in TABLES}
    finally:
        engine.dispose()


@contextmanager
def more_records(url: str, *places: tuple[str, str, object], by: int) -> Iterator[None]:
    """Sums that are wrong for a while: `by` more records at the first place, as many less at the second."""

    def change(signs: Sequence[int]) -> None:
        engine = create_engine(url)
        with engine.begin() as connection:
            for sign, (unit, table, day) in zip(signs, places, strict=False):
                values = {"more": sign * by, "unit": unit, "code": table, "day": day}
                where = "unit_id = :unit AND table_code = :code AND business_date = :day"
                assert (
                    connection.execute(text(f"UPDATE upload_day SET records = records + :more WHERE {where}"), values).rowcount
                    == 1
                )
        engine.dispose()

    change((1, -1))
    try:
        yield
    finally:
        change((-1, 1))


def greatest(url: str) -> Sequence[Row[Any]]:
    """Sums of one unit, greatest first: unit, table, date, records."""
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT unit_id, table_code, business_date, records FROM upload_day ORDER BY records DESC")
        )
        found = rows.all()
    engine.dispose()
    return [row for row in found if row.unit_id == found[0].unit_id]


def recount(month: Counted, database: str) -> Ended:
    options = ("--bootstrap", month.broker, "--database", database)
    return month.home.run("recount", MONTH, *options, settings={"HIPWATCH_SESSION_TIMEOUT": "2"})


def published(broker: str, least: int) -> int:
    """Messages on the dead-letter topic, `least` or more, read until no more comes (the ends say too much)."""
    found = quiet = 0
    with closing(KafkaConsumer(bootstrap_servers=[broker], auto_offset_reset="earliest")) as consumer:
        consumer.assign([TopicPartition(topic_name(Topic.DEAD_LETTERS), number) for number in range(PARTITIONS)])
        while quiet < (6 if found >= least else 120):  # a busy machine may take long
            records = consumer.poll(timeout_ms=500)
            found += sum(map(len, records.values()))
            quiet = 0 if records else quiet + 1
    return found


def test_a_recount_agrees_with_the_ledger_and_leaves_it_and_the_broker_alone(month: Counted, database: str) -> None:
    refused = sum(counters(month.home.ledger).dead_letters.values())
    before, letters = dump(database), published(month.broker, refused)
    assert letters >= refused
    ended = recount(month, database)
    assert ended.code == 0, ended.told
    cells = re.search(r"^cells equal (\d+)/(\d+)$", ended.out, re.MULTILINE)
    sums = re.search(r"^daily sums equal (\d+)/(\d+)$", ended.out, re.MULTILINE)
    assert cells is not None, ended.told
    assert sums is not None, ended.told
    assert int(cells[1]) == int(cells[2]) > 100
    assert int(sums[1]) == int(sums[2]) > 100
    assert ": live " not in ended.out
    assert dump(database) == before
    assert published(month.broker, letters) == letters, "what was published once is not published again"


def test_a_sum_that_was_changed_is_named_with_unit_table_and_date(month: Counted) -> None:
    unit, table, day, records = tuple(greatest(month.sqlite)[0])
    with more_records(month.sqlite, (unit, table, day), by=1):
        before = dump(month.sqlite)
        ended = recount(month, month.sqlite)
        assert dump(month.sqlite) == before
    assert ended.code == 1, ended.told
    assert f"({unit}), scheduled_records: live '" in ended.out, ended.told
    assert f"({unit}), {table} of {day}, records: live '{records + 1}', recounted '{records}'" in ended.out, ended.told
    assert len(re.findall(": live ", ended.out)) == 3, "a sum and the two cells that hold it: nothing else is blamed"


def test_records_that_stand_at_another_place_are_found_though_every_printed_cell_is_equal(month: Counted) -> None:
    one, other = (tuple(row)[:3] for row in greatest(month.postgres)[:2])
    with more_records(month.postgres, one, other, by=3):
        ended = recount(month, month.postgres)
    assert ended.code == 1, ended.told
    cells = re.search(r"^cells equal (\d+)/(\d+)$", ended.out, re.MULTILINE)
    assert cells is not None, ended.told
    assert cells[1] == cells[2]
    assert len(re.findall(r" of 2023-02-\d\d, records: live ", ended.out)) == 2, ended.told


def test_a_ledger_that_was_counted_from_another_broker_is_told(month: Counted) -> None:
    with broker_of(Home(month.home.folder / "elsewhere")) as other:
        ensure_topics(KafkaConnection(other))
        ended = month.home.run("recount", MONTH, "--bootstrap", other, "--database", month.sqlite)
    assert ended.code == 1, ended.told
    assert f"has counted nothing from {other}" in ended.err, ended.told
    assert "Traceback" not in ended.err
