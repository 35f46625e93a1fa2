"""The events that everybody counts, and what comes out of them. Core but for the sending."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Final

from broker.connection import KafkaConnection
from broker.topics import ensure_topics
from ingest.producer import EventProducer
from schemas.codec.encode import encode
from schemas.events import CdaDocuments
from schemas.register import load_register
from schemas.topics import Topic

Sums = Mapping[tuple[str, str, str], tuple[int, int, int]]
"""Uploads, documents and visits, by unit, table and business date (ISO 8601)."""

_FIRST_DAY: Final = date(2024, 9, 1)
_DAYS: Final = 30
_TABLES: Final = 40
"""Of each unit: some 2,000 pairs of unit and table, as the platform has."""
_AGAIN: Final = 0.01
"""So many uploads come twice."""
_LINGER_MS: Final = 500
"""Some hundred uploads are sent together, as by a sender that has much; how fast this machine sends should matter little."""


def uploads(count: int, seed: int) -> Iterator[CdaDocuments]:
    """So many uploads of one month, each unit's numbers without a gap; some come again at once."""
    random = Random(seed)
    register = load_register()
    units, tables = list(register.units), list(register.tables)[:_TABLES]
    numbers: dict[str, int] = defaultdict(int)
    for place in range(count):
        unit = random.choice(units)
        numbers[unit] += 1
        day = _FIRST_DAY + timedelta(days=place * _DAYS // count)
        upload = CdaDocuments(
            f"{random.getrandbits(128):032x}",
            unit,
            random.choice(tables),
            day,
            datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
            "2024",
            numbers[unit],
            random.randrange(1, 500),
            outpatient_visits=random.randrange(900) if place % 3 else None,
        )
        yield upload
        if random.random() < _AGAIN:
            yield upload


def send(connection: KafkaConnection, count: int, seed: int) -> tuple[Sums, dict[tuple[str, int], int]]:
    """Make the topics and publish. Returns what has to come out, and where each partition ends."""
    ensure_topics(connection)
    sums: dict[tuple[str, str, str], tuple[int, int, int]] = {}
    seen: dict[str, int] = defaultdict(int)
    with EventProducer(connection, linger_ms=_LINGER_MS) as producer:
        for upload in uploads(count, seed):
            producer.send(Topic.CDA_DOCUMENTS, upload.unit_id.encode(), encode(upload))
            if upload.sequence > seen[upload.unit_id]:
                seen[upload.unit_id] = upload.sequence
                key = (upload.unit_id, upload.table_code, upload.business_date.isoformat())
                events, records, visits = sums.get(key, (0, 0, 0))
                sums[key] = (events + 1, records + upload.record_count, visits + (upload.outpatient_visits or 0))
    return sums, dict(producer.next_offsets)
