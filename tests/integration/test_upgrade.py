"""`hipwatch db upgrade`: a ledger of an earlier release, full of data, is refused until then, and has lost nothing after."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from kafka import KafkaConsumer, KafkaProducer
from sqlalchemy import column, create_engine, insert, inspect, select, table, text
from sqlmodel import SQLModel

from monitor.ledger import migrating
from monitor.ledger import versions as table_versions
from monitor.ledger.database import make_engine, writing
from schemas.clock import local_date
from schemas.codec.decode import decode
from schemas.codec.encode import encode
from schemas.codec.reasons import DecodeError
from schemas.register import load_register
from schemas.topics import EVENT_TOPICS, Topic, topic_name
from tests.factories import make_event
from tests.integration.ledgers import counted, counters
from tests.integration.months import NEW, write_month
from tests.integration.stack import Home, ask, ask_all, broker_of, end, free_port, home_in, running, wait_until
from tests.services.postgres import PostgresServer

MONTH = "2023-02"
FAULTS = {"duplicates": 0.03, "reordered": 0.03, "gaps": 0.03, "poison": 0.03}
Figures = dict[str, list[dict[str, str]]]


@dataclass(frozen=True)
class Counted:
    """A broker, a ledger that this release has counted from it, and the receipts as the first release kept them.

    `sent` are the events that the tests of this module have added since: each ledger of an earlier release counts them all.
    """

    home: Home
    broker: str
    receipts: list[dict[str, object]]
    sent: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counted]:
    folder = tmp_path_factory.mktemp("upgrade")
    with home_in(folder) as home, broker_of(home) as broker:
        scenario = write_month(folder / "month", 32, NEW, units=5, faults=FAULTS)
        options = ("--period", MONTH, "--bootstrap", broker, "--database", home.database)
        replay = home.run("replay", scenario.folder, *options, settings={"HIPWATCH_SESSION_TIMEOUT": "2"})
        assert replay.code == 0, replay.told
        assert counters(home.ledger).dead_letters, "the faults are there"
        yield Counted(home, broker, receipts_of(broker))


@pytest.fixture(params=["sqlite", "sqlite, before there were migrations", "postgresql"])
def earlier(request: pytest.FixtureRequest, month: Counted, tmp_path: Path) -> str:
    """The same ledger in the tables of the first release."""
    if request.param == "postgresql":
        postgres: PostgresServer = request.getfixturevalue("postgres")
        url = postgres.new_database()
    else:
        url = f"sqlite:///{tmp_path / 'earlier.db'}"
    engine = make_engine(url)
    now = create_engine(month.home.database)
    with writing(engine) as connection, now.connect() as source:
        migrating.migrate_to(connection, "0001")
        if "before" in request.param:
            connection.execute(text("DROP TABLE alembic_version"))
        first_tables = set(inspect(connection).get_table_names())
        for name, model in SQLModel.metadata.tables.items():
            if name not in first_tables:
                continue  # a later release made it
            names = [found["name"] for found in inspect(connection).get_columns(name)]
            rows = [dict(row) for row in source.execute(select(*(model.c[each] for each in names))).mappings()]
            if rows:
                connection.execute(insert(table(name, *(column(each, model.c[each].type) for each in names))), rows)
        connection.execute(insert(table("counted_event", *map(column, _COUNTED))), month.receipts)
    engine.dispose()
    now.dispose()
    return url


_COUNTED = ("unit_id", "topic", "series", "sequence", "event_id", "business_date")


def receipts_of(broker: str) -> list[dict[str, object]]:
    """The receipt of each number, event by event: read again from the broker, before a test sends more."""
    found: dict[tuple[object, ...], dict[str, object]] = {}
    names = {topic_name(topic): topic for topic in EVENT_TOPICS}
    with closing(
        KafkaConsumer(*names, bootstrap_servers=[broker], auto_offset_reset="earliest", consumer_timeout_ms=5_000)
    ) as consumer:
        for message in consumer:
            try:
                event = decode(message.value, names[message.topic], load_register(), datetime.now(UTC))
            except DecodeError:
                continue
            day = getattr(event, "business_date", local_date(event.event_time))
            values = (event.unit_id, names[message.topic], event.series, event.sequence, event.event_id, day.isoformat())
            found.setdefault(values[:4], dict(zip(_COUNTED, values, strict=True)))
    return list(found.values())


def figures(url: str) -> Figures:
    """Every row of every table, read without the models."""
    engine = create_engine(url)
    with engine.connect() as connection:
        names = [name for name in inspect(engine).get_table_names() if name != "alembic_version"]
        tables = {name: connection.execute(text(f"SELECT * FROM {name}")).mappings().all() for name in names}
    engine.dispose()
    return {
        name: sorted(({key: str(value) for key, value in row.items()} for row in rows), key=str) for name, rows in tables.items()
    }


def in_the_columns_of(earlier: Figures, figures: Figures) -> Figures:
    """What `figures` say in the tables and columns that there were before."""
    columns = {name: set(rows[0]) for name, rows in earlier.items() if rows}
    return {
        name: sorted(({k: v for k, v in row.items() if k in columns.get(name, row)} for row in figures[name]), key=str)
        for name in earlier
    }


def receipts(url: str) -> int:
    engine = create_engine(url)
    with engine.connect() as connection:
        total = connection.execute(text("SELECT coalesce(sum(length(hashes)), 0) FROM receipt_run")).scalar_one()
    engine.dispose()
    return int(total) // 8


def test_an_earlier_ledger_is_refused_upgraded_without_loss_and_counted_on(month: Counted, earlier: str) -> None:
    home, ledger = month.home, ("--database", earlier)
    before = figures(earlier)
    assert before["dead_letter"]
    assert before["upload_day"]

    commands = [
        ("worker", "--bootstrap", month.broker, *ledger),
        ("serve", "--port", str(free_port()), *ledger),
        ("report", MONTH, *ledger),
        ("gaps", *ledger),
        ("dead-letters", "list", *ledger),
        ("prune", MONTH, *ledger),
        ("recount", MONTH, "--bootstrap", month.broker, *ledger),
    ]
    for ended in ask_all(home, commands):
        assert ended.code == 1, ended.told
        (line,) = ended.err.splitlines()
        assert line.startswith("error: the ledger's tables have version 0001, this release needs "), ended.told
        assert line.endswith("take a backup, then run 'hipwatch db upgrade'"), ended.told
    check = ask(home, "check-config", *ledger)
    assert check.code == 1
    assert "hipwatch db upgrade" in check.out
    assert figures(earlier) == before, "who refuses changes nothing"

    newest = table_versions.newest()
    upgrade = ask(home, "db", "upgrade", *ledger)
    assert (upgrade.code, upgrade.out) == (0, f"upgraded from 0001 to {newest}\n"), upgrade.told
    after = figures(earlier)
    counted_before = len(before.pop("counted_event"))
    assert receipts(earlier) == counted_before > 0
    assert in_the_columns_of(before, after) == before
    assert {row["state"] for row in after["dead_letter"]} == {"kept"}
    again = ask(home, "db", "upgrade", *ledger)
    assert (again.code, again.out) == (0, f"the ledger has version {newest} already\n"), again.told
    assert figures(earlier) == after
    report = ("report", MONTH, "--format", "json")
    assert ask(home, *report, *ledger).out == ask(home, *report, "--database", home.database).out
    letters = ask(home, "dead-letters", "list", *ledger)
    assert len(letters.out.splitlines()) == len(before["dead_letter"])

    name = uuid4().hex
    event = make_event(series=name, event_id=name)
    with closing(KafkaProducer(bootstrap_servers=[month.broker], acks="all")) as producer:
        producer.send(topic_name(Topic.CDA_DOCUMENTS), key=event.unit_id.encode(), value=encode(event)).get(timeout=120)
    month.sent.append(name)
    expected = counted_before + len(month.sent)
    group = ("--group", name, "--session-timeout", "2")
    with running(home, "worker", "--bootstrap", month.broker, *ledger, *group) as worker:
        wait_until(lambda: receipts(earlier) >= expected or not worker.runs, "the worker counts on")
        assert end(worker).code == 0, worker.err
    assert receipts(earlier) == expected
    assert len(figures(earlier)["dead_letter"]) == len(before["dead_letter"])


def test_what_is_no_ledger_is_not_upgraded(month: Counted, tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    empty = ask(month.home, "db", "upgrade", "--database", f"sqlite:///{tmp_path / 'empty.db'}")
    assert empty.code == 1
    assert "is not a ledger" in empty.err
    none = ask(month.home, "db", "upgrade", "--database", f"sqlite:///{tmp_path / 'none.db'}")
    assert none.code == 1
    assert "there is no ledger" in none.err
    assert not (tmp_path / "none.db").exists()
    assert counted(month.home.ledger) > 0
