"""The numbers of docs/capacity.md that do not depend on a machine: python -m tests.ops.capacity prints them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from hipwatch.replay import plan_of
from ingest.scenario import find_scenario, load_scenario
from ingest.simulator.events import events
from monitor.counting.feeds import Feed
from monitor.counting.receipt_hash import HASH_BYTES
from monitor.judgement.judge import Snapshot
from monitor.judgement.rhythms import Rhythms
from monitor.judgement.unit_status import judge
from monitor.ledger.database import closing_engine, open_database
from monitor.ledger.month import MonthFacts
from monitor.ledger.snapshot import read_facts
from monitor.paging.exposition import exposition
from monitor.paging.metrics import SnapshotCollector
from monitor.paging.month_metrics import MonthCollector
from schemas.codec.encode import encode
from schemas.period import Period
from schemas.register import UnitKind, load_register
from schemas.topics import EVENT_TOPICS, KINDS, PARTITIONS, TOPIC_OF, Topic
from tests.factories import NOON, make_progress

PAGE: Final = Path(__file__).parents[2] / "docs" / "capacity.md"
MONTH: Final = "2024-09"
SIZES: Final = (52, 500, 5_000)
KAFKA_DAYS: Final = 400
"""Of retention, with which workers make the topics."""
SCRAPES_A_DAY: Final = 86_400 // 5
PROMETHEUS_DAYS: Final = 15
SAMPLE_BYTES: Final = 2
"""Prometheus' documentation says one to two."""


@dataclass(frozen=True)
class Measured:
    """A month as its units sent it: events and their bytes by topic, records, units; and what a scrape of `serve` brings."""

    events: Counter[Topic]
    sizes: Counter[Topic]
    records: int
    units: int
    series_of_a_unit: int
    other_series: int


def measured() -> Measured:
    """The month's events, made as `hipwatch replay` makes them, in the order of time."""
    register = load_register()
    sent, sizes, records = Counter[Topic](), Counter[Topic](), 0
    for event in events(plan_of(load_scenario(find_scenario(MONTH), register), register)):
        topic = TOPIC_OF[type(event)]
        sent[topic] += 1
        sizes[topic] += len(encode(event))
        records += getattr(event, "record_count", 1)
    alone, every = series(1), series(len(register.units))
    a_unit = (every - alone) // (len(register.units) - 1)
    return Measured(sent, sizes, records, len(register.units_of(Period.parse(MONTH))), a_unit, alone - a_unit)


def of_the_month(found: Measured) -> Iterator[str]:
    """The lines of the first table."""
    district = load_register().required_tables(UnitKind.DISTRICT)
    rows = {
        f"units of {MONTH}": found.units,
        "events that they sent, each of up to 10,000 records": found.events.total(),
        "records, so events if each held one": found.records,
        **{
            f"bytes of an event on `{topic}`, on the average": found.sizes[topic] // found.events[topic]
            for topic in (Topic.CDA_DOCUMENTS, Topic.REALTIME_FORMS)
        },
        "partitions of each event topic": PARTITIONS,
        "event topics": len(EVENT_TOPICS),
        "tables that a district has to upload": len(district),
        "bytes of a receipt": HASH_BYTES,
        "series of a unit at `serve`, at most, without gaps and findings": found.series_of_a_unit,
        "series beside those of units": found.other_series,
    }
    yield from (f"| {what} | {value:,} |" for what, value in rows.items())


def of_sizes(found: Measured) -> Iterator[str]:
    """The lines of the second table: what so many units need that send as those of the month do."""
    for units in SIZES:
        share = units / found.units
        a_month = found.events.total() * share
        kafka = 2 * found.sizes.total() * share * KAFKA_DAYS / 30
        scraped = found.other_series + found.series_of_a_unit * units
        prometheus = scraped * SCRAPES_A_DAY * PROMETHEUS_DAYS * SAMPLE_BYTES
        receipts = a_month * 12 * HASH_BYTES
        numbers = [
            f"{a_month / 1e6:.2f}",
            f"{kafka / 1e9:.1f}",
            f"{receipts / 1e9:.2f}",
            f"{scraped:,}",
            f"{prometheus / 1e9:.1f}",
        ]
        yield f"| {units:,} | {' | '.join(numbers)} |"


def series(units: int) -> int:
    """How many samples a scrape brings when so many units have used both feeds, are overdue, and carried everything."""
    whole = load_register()
    register = replace(whole, units=dict(list(whole.units.items())[:units]))
    seen = {(unit_id, feed): make_progress() for unit_id in register.units for feed in Feed}
    status = judge(register, NOON + timedelta(days=90), seen, [], Rhythms())
    with TemporaryDirectory() as folder, closing_engine(open_database(f"sqlite:///{folder}/ledger.db", create=True)) as engine:
        facts = replace(read_facts(engine), clock=NOON, watchdog_at=NOON)
    figures = {name: dict.fromkeys(register.units, 1) for kind in KINDS.values() for name in kind.chapter}
    month = MonthFacts(Period.parse(MONTH), figures, frozenset(register.units))
    snapshot = Snapshot(facts, status, register)
    collector = SnapshotCollector(lambda: snapshot, timedelta(hours=1), timedelta(minutes=2))
    text = exposition(collector, MonthCollector(lambda: month, lambda: register)).decode()
    return sum(not line.startswith("#") for line in text.splitlines())


if __name__ == "__main__":
    month = measured()
    print(*of_the_month(month), "", *of_sizes(month), sep="\n")
