"""The events that everybody counts, what comes out of them, and how they are sent. Core but for the sending."""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from random import Random
from typing import Any, Final, NamedTuple

from confluent_kafka import KafkaError, Message, Producer

from bench.running import ContestantFailed
from broker.connection import KafkaConnection
from broker.topics import ensure_topics
from schemas.codec.encode import encode
from schemas.codec.identifiers import is_identifier
from schemas.events import CdaDocuments
from schemas.register import Register, load_register
from schemas.topics import Topic, topic_name

Sums = Mapping[tuple[str, str, str], tuple[int, int, int]]
"""Uploads, documents and visits, by unit, table and business date (ISO 8601)."""

_SEED: Final = 1
_FIRST_DAY: Final = date(2024, 9, 1)
_DAYS: Final = 30
_TABLES: Final = 40
"""Of each unit: some 2,000 pairs of unit and table, as the platform has."""
_AGAIN: Final = 0.01
"""So many uploads come twice."""
_BATCH_BYTES: Final = 256 << 10
"""Some thousand uploads are sent together, as by a sender that has much; how fast this machine sends should matter little."""
_TICK_SECONDS: Final = 0.02


class Sent(NamedTuple):
    """What a broker holds: where each partition ends, and what has to come out."""

    kafka: KafkaConnection
    ends: Mapping[tuple[str, int], int]
    sums: Sums

    @property
    def messages(self) -> int:
        """How many there are."""
        return sum(self.ends.values())


class _Packed(NamedTuple):
    key: bytes
    value: bytes


@dataclass
class _Truth:
    """Adds up what is to be counted, each number once."""

    sums: dict[tuple[str, str, str], tuple[int, int, int]] = field(default_factory=dict)
    _newest: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, upload: CdaDocuments) -> None:
        if upload.sequence > self._newest[upload.unit_id]:
            self._newest[upload.unit_id] = upload.sequence
            key = (upload.unit_id, upload.table_code, upload.business_date.isoformat())
            events, records, visits = self.sums.get(key, (0, 0, 0))
            self.sums[key] = (events + 1, records + upload.record_count, visits + (upload.outpatient_visits or 0))


def uploads(count: int, register: Register | None = None) -> Iterator[CdaDocuments]:
    """So many uploads of one month, each unit's numbers without a gap; some come again at once. The same at each call."""
    random = Random(_SEED)
    register = register or load_register()
    units, tables = list(register.units), list(register.tables)[:_TABLES]
    numbers: dict[str, int] = defaultdict(int)
    for place in range(count):
        unit = units[place] if place < len(units) else random.choice(units)  # everybody is heard of
        numbers[unit] += 1
        day = _FIRST_DAY + timedelta(days=place * _DAYS // count)
        upload = CdaDocuments(
            _event_id(random),
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


def _event_id(random: Random) -> str:
    """32 digits. Once in ten million they look like somebody's identity number, which nobody may send."""
    while not is_identifier(event_id := f"{random.getrandbits(128):032x}"):
        pass
    return event_id


def send(kafka: KafkaConnection, count: int, register: Register | None = None) -> Sent:
    """Make the topics and publish as fast as it goes: a backlog."""
    truth = _Truth()
    ensure_topics(kafka)
    outlet = _Outlet(kafka, linger_ms=500)
    for upload in uploads(count, register):
        truth.add(upload)
        outlet.send(_packed(upload))
    return Sent(kafka, outlet.flush(), truth.sums)


class Live:
    """Sends the same uploads little by little, to topics that it makes."""

    def __init__(self, kafka: KafkaConnection, count: int) -> None:
        """`count`: how many there will be in all, without those that come twice."""
        ensure_topics(kafka)
        self.kafka = kafka
        self._uploads = uploads(count)
        self._truth = _Truth()
        self._ends: dict[tuple[str, int], int] = {}

    def send(self, per_second: float, seconds: float) -> Sequence[float]:
        """Publish so many a second for so long, or until there are no more; the moment (time.monotonic) of each."""
        packed = []
        for upload in islice(self._uploads, round(per_second * seconds)):
            self._truth.add(upload)
            packed.append(_packed(upload))
        moments: list[float] = []
        outlet = _Outlet(self.kafka, linger_ms=5)
        begun = time.monotonic()
        while len(moments) < len(packed):
            now = time.monotonic()
            for message in packed[len(moments) : int((now - begun) * per_second)]:
                outlet.send(message)
                moments.append(now)
            outlet.poll()
            time.sleep(_TICK_SECONDS)
        self._ends |= outlet.flush()
        return moments

    @property
    def sent(self) -> Sent:
        """All up to now."""
        return Sent(self.kafka, self._ends, self._truth.sums)


def _packed(upload: CdaDocuments) -> _Packed:
    return _Packed(upload.unit_id.encode(), encode(upload))


class _Outlet:
    """librdkafka's producer: it takes a tenth of what kafka-python's does, so that sending is never the bottleneck."""

    def __init__(self, kafka: KafkaConnection, linger_ms: int) -> None:
        self._topic = topic_name(Topic.CDA_DOCUMENTS, kafka.topic_prefix)
        self._ends: dict[tuple[str, int], int] = {}
        self._producer: Any = Producer(
            {
                "bootstrap.servers": kafka.bootstrap,
                "partitioner": "murmur2_random",  # that of Java and kafka-python: a unit's messages stay in order
                "enable.idempotence": True,
                "compression.type": "lz4",
                "linger.ms": linger_ms,
                "batch.size": _BATCH_BYTES,
            }
        )

    def send(self, message: _Packed) -> None:
        while True:
            try:
                self._producer.produce(self._topic, message.value, message.key, on_delivery=self._delivered)
                return
            except BufferError:
                self._producer.poll(0.1)

    def poll(self) -> None:
        self._producer.poll(0)

    def flush(self) -> Mapping[tuple[str, int], int]:
        """Wait until all are there; where each partition ends."""
        self._producer.flush()
        return self._ends

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            raise ContestantFailed(f"a message was not taken: {error}")
        place = (self._topic, message.partition() or 0)
        self._ends[place] = max(self._ends.get(place, 0), (message.offset() or 0) + 1)
