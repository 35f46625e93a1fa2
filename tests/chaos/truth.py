"""What the ledger has to say, recounted from the log itself and from the generator, without any code of the monitor."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from kafka import KafkaConsumer, TopicPartition
from sqlalchemy import Engine, text

from broker.connection import KafkaConnection
from ingest.simulator.faults import FaultCounts
from schemas.codec.decode import decode
from schemas.codec.reasons import DecodeError
from schemas.events import CdaDocuments, Event, RealtimeForms
from schemas.register import load_register
from schemas.topics import EVENT_TOPICS, TOPIC_OF, topic_name

Key = tuple[str, str, str]  # unit, table or form, business date


@dataclass
class Truth:
    """Counts of distinct events, of their repetitions, of numbers that were missing when a later one came, of those of them that
    came after all, and of broken messages; events per unit, table or form, and date."""

    accepted: int = 0
    duplicates: int = 0
    gaps_opened: int = 0
    gaps_filled: int = 0
    dead_letters: Counter[str] = field(default_factory=Counter)
    events: Counter[Key] = field(default_factory=Counter)

    def take_faults(self, counts: FaultCounts) -> None:
        """What the generator says that it did to its events."""
        self.accepted, self.duplicates = counts.accepted, counts.duplicates
        self.gaps_opened, self.gaps_filled = counts.gaps_opened, counts.gaps_filled
        self.dead_letters = Counter({str(reason): total for reason, total in counts.dead_letters.items()})


def key_of(event: Event) -> Key | None:
    if isinstance(event, CdaDocuments):
        return event.unit_id, event.table_code, event.business_date.isoformat()
    if isinstance(event, RealtimeForms):
        return event.unit_id, event.form_code, event.business_date.isoformat()
    return None


def of_generator(events: Iterable[Event]) -> Truth:
    truth = Truth()
    deque(noting(events, truth), maxlen=0)
    return truth


def noting(events: Iterable[Event], truth: Truth) -> Iterator[Event]:
    """The same events, noted in `truth` on their way."""
    for event in events:
        truth.accepted += 1
        if (key := key_of(event)) is not None:
            truth.events[key] += 1
        yield event


def of_log(connection: KafkaConnection) -> tuple[Truth, Mapping[tuple[str, int], int]]:
    """Read every event topic from its beginning. Also the end offset of each partition, by topic name."""
    register = load_register()
    names = {topic_name(topic, connection.topic_prefix): topic for topic in EVENT_TOPICS}
    consumer = KafkaConsumer(**connection.client_options(), enable_auto_commit=False, auto_offset_reset="earliest")
    truth, seen = Truth(), set()
    try:
        partitions = [TopicPartition(name, p) for name in names for p in sorted(consumer.partitions_for_topic(name) or ())]
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        now = datetime.now(UTC)
        while any(consumer.position(tp) < end for tp, end in ends.items()):
            for tp, records in consumer.poll(500, max_records=10_000).items():
                for record in records:
                    try:
                        event = decode(record.value, names[tp.topic], register, now)
                    except DecodeError as error:
                        truth.dead_letters[error.reason] += 1
                        continue
                    identity = (TOPIC_OF[type(event)], event.unit_id, event.series, event.sequence, event.event_id)
                    if identity in seen:
                        truth.duplicates += 1
                        continue
                    seen.add(identity)
                    truth.accepted += 1
                    if (key := key_of(event)) is not None:
                        truth.events[key] += 1
    finally:
        consumer.close()
    return truth, {(tp.topic, tp.partition): end for tp, end in ends.items()}


def of_ledger(engine: Engine) -> Truth:
    truth = Truth()
    with engine.connect() as connection:
        row = connection.execute(text("SELECT sum(accepted), sum(duplicates), sum(skipped), sum(filled) FROM stream_state")).one()
        truth.accepted, truth.duplicates, truth.gaps_opened, truth.gaps_filled = (int(total or 0) for total in row)
        for reason, total in connection.execute(text("SELECT reason, sum(total) FROM dead_letter_count GROUP BY reason")):
            truth.dead_letters[reason] = int(total)
        for table, code in (("upload_day", "table_code"), ("form_day", "form_code")):
            for unit, which, day, events in connection.execute(
                text(f"SELECT unit_id, {code}, business_date, events FROM {table}")
            ):
                truth.events[unit, which, str(day)] += int(events)
    return truth


def open_gaps(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM open_gap")).scalar_one())
