"""A kind of event that nobody knew: one file of code, its schema and its table's migration, and everything counts it."""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.integration.ledgers import counted, counters, query
from tests.integration.stack import Home, end, wait_until

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = ("broker", "hipwatch", "ingest", "monitor", "schemas")

KIND: Final = '''"""Hotline calls: what a hotline answered, added up by unit, line and business date. Core."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from schemas.identifiers import UnitId
from schemas.kinds.kind import Added, Days, Kind, Total


@dataclass(frozen=True, slots=True)
class HotlineCalls:
    """Calls that a hotline answered on one day."""

    event_id: str
    unit_id: UnitId
    business_date: date
    event_time: datetime
    series: str
    sequence: int
    calls: int
    seconds_waited: int | None = None


KIND: Final = Kind(
    HotlineCalls,
    "hotline_day",
    Added(("unit_id", "business_date"), {"calls": "calls", "seconds_waited": "seconds_waited"}),
    chapter={"hotline_calls": Total("calls"), "hotline_days": Days("calls")},
)
'''
SCHEMA: Final = {
    "type": "record",
    "name": "HotlineCalls",
    "namespace": "hip.v1",
    "fields": [
        *(
            {"name": name, "type": kind}
            for name, kind in (("event_id", "string"), ("unit_id", "string"), ("business_date", "int"))
        ),
        {"name": "event_time", "type": "long"},
        {"name": "series", "type": "string", "default": ""},
        *({"name": name, "type": "long"} for name in ("sequence", "calls")),
        {"name": "seconds_waited", "type": ["null", "long"], "default": None},
    ],
}
MIGRATION: Final = '''"""Hotline calls are counted."""

import sqlalchemy as sa
from alembic import op

revision = "9001"
down_revision = "{newest}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hotline_day",
        sa.Column("unit_id", sa.String(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("seconds_waited", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("unit_id", "business_date"),
    )
'''
SENDER: Final = '''"""Sends three events, one of them twice, and one that no unit of the register sent."""

import sys
from datetime import UTC, date, datetime

from kafka import KafkaProducer

from broker.connection import KafkaConnection
from broker.topics import ensure_topics
from schemas.codec.encode import encode
from schemas.kinds.hotline_calls import HotlineCalls
from schemas.topics import TOPIC_OF, topic_name

ensure_topics(KafkaConnection(sys.argv[1]))
producer = KafkaProducer(bootstrap_servers=sys.argv[1])
second = (2, "gulou", 3, 0)
for number, unit, calls, waited in ((1, "gulou", 4, None), second, second, (3, "gulou", 5, 60), (1, "nobody", 9, 9)):
    sent = datetime(2024, 9, 10, 4, number, tzinfo=UTC)
    event = HotlineCalls(f"{unit}-{number}", unit, date(2024, 9, 9), sent, "", number, calls, waited)
    producer.send(topic_name(TOPIC_OF[HotlineCalls]), encode(event), unit.encode(), partition=0)
producer.close()
'''
READER: Final = """
import sys
from monitor.ledger.database import open_database
from monitor.ledger.month import read_month
from schemas.period import Period

facts = read_month(open_database(sys.argv[1], create=False), Period(2024, 9))
print(facts.figure("hotline_calls", "gulou"), facts.figure("hotline_days", "gulou"), *facts.senders)
"""


def run(code: str, argument: str, tree: Path, environment: Mapping[str, str]) -> str:
    """Run a program of the test on the packages in `tree`; what it printed."""
    ended = subprocess.run(
        [sys.executable, "-c", code, argument],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The packages, and beside what they hold a made-up kind of event."""
    copy = tmp_path / "tree"
    for package in PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    versions = copy / "monitor/ledger/migrations/versions"
    newest = max(file.name.partition("_")[0] for file in versions.glob("[0-9]*.py"))
    (copy / "schemas/kinds/hotline_calls.py").write_text(KIND, encoding="utf-8")
    (copy / "schemas/avro/hotline-calls.1.avsc").write_text(json.dumps(SCHEMA), encoding="utf-8")
    (versions / "9001_hotline_calls.py").write_text(MIGRATION.format(newest=newest), encoding="utf-8")
    return copy


def test_a_made_up_kind_is_read_from_its_own_topic_counted_once_and_kept(home: Home, broker: str, tree: Path) -> None:
    settings = {"PYTHONPATH": str(tree)}
    run(SENDER, broker, tree, home.environment(settings))
    worker = home.start("worker", "--bootstrap", broker, "--database", home.database, settings=settings)
    wait_until(lambda: counted(home.ledger) == 5, "everything is read")
    assert end(worker).code == 0
    found = counters(home.ledger)
    assert (found.accepted, found.duplicates, found.dead_letters) == (3, 1, {"unknown_unit": 1})
    assert query(home.ledger, "select unit_id, business_date, events, calls, seconds_waited from hotline_day") == [
        ("gulou", "2024-09-09", 3, 12, 60)
    ]
    listed = home.run("dead-letters", "list", "--database", home.database, settings=settings)
    assert "hip.hotline-calls.v1" in listed.out
    assert "unknown_unit" in listed.out
    assert run(READER, home.database, tree, home.environment(settings)) == "12 1 gulou"
