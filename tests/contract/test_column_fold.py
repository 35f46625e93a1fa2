"""The same bytes, counted in columns and message by message: the same ledger to the last row. On every database."""

import struct
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kafka.record import MemoryRecordsBuilder
from sqlalchemy import Engine

from monitor.counting.batch import Appended, Batch, Position
from monitor.counting.column_fold import ColumnArrivals
from monitor.ledger.append import Ledger
from monitor.worker import columnar_decoding
from monitor.worker.bounded_records import BoundedRecords
from monitor.worker.columnar_decoding import ColumnarDecoding
from monitor.worker.decoding import decode_batch
from monitor.worker.packed_messages import packed_batch
from monitor.worker.raw_batch import raw_batch
from monitor.worker.record_batches import WholeBatches
from schemas.codec.canary import CANARY_KEY, canary_message
from schemas.codec.encode import encode
from schemas.register import load_register
from schemas.topics import EVENT_TOPICS, Topic, topic_name
from tests.conftest import prepare
from tests.contract.contents import contents, empty
from tests.factories import NOON, TOPIC_IDS, UNITS, make_declaration, make_event
from tests.unit.monitor.counting.columns import ADDED, arriving
from tests.unit.monitor.test_record_batches import read
from tests.unit.schemas.test_columnar import messages

REGISTER = load_register()
Message = tuple[bytes | None, bytes | None]
some = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


class Sent(NamedTuple):
    """What one partition holds of one poll, and when it is read."""

    topic: Topic
    partition: int
    messages: Sequence[Message]
    at: datetime


@st.composite
def sent(draw: st.DrawFn) -> Sent:
    """Events for the most part; here and there something that nobody sends, another key, or none."""
    topic = draw(st.sampled_from([*ADDED, *ADDED, *EVENT_TOPICS]))
    found: list[Message] = []
    if topic in ADDED:
        found += [(event.unit_id.encode(), encode(event)) for _, event, _ in draw(arriving(topic, most=12))]
    elif topic is Topic.DECLARATIONS:
        found += [(b"gulou", encode(make_declaration(sequence=draw(st.integers(1, 5)))))]
    wild = messages(topic) if topic is not Topic.DECLARATIONS else st.binary(max_size=40)
    for value in draw(st.lists(wild, max_size=2)):
        key = draw(st.sampled_from([None, b"gulou", b"xuanwu", b"", b"nobody"]))
        found.insert(draw(st.integers(0, len(found))), (key, value))
    if draw(st.booleans()):
        number = draw(st.integers(1, 4))
        found.append((CANARY_KEY, canary_message(topic, NOON, draw(st.sampled_from("ab")), number)))
    hours = draw(st.integers(0, 40))
    return Sent(topic, draw(st.integers(0, 1)), found or [(None, None)], NOON + timedelta(hours=hours))


def decoded(sent: Sent, first: int, decode: ColumnarDecoding | None) -> Batch:
    """The messages as they stand on the broker from offset `first` on, read and decoded as a worker does it."""
    builder = MemoryRecordsBuilder(magic=2, compression_type=0, batch_size=1 << 22)
    for key, value in sent.messages:
        builder.append(1_700_000_000_000, key, value)
    builder.close()
    log = struct.pack(">q", first) + bytes(builder.records()._buffer)[8:]
    place = (sent.topic, topic_name(sent.topic), Position(TOPIC_IDS[sent.topic], sent.partition, first))
    if decode is None:
        return decode_batch(raw_batch(*place, read(BoundedRecords, log), sent.at), REGISTER)
    return decode(packed_batch(*place, read(WholeBatches, log), sent.at), REGISTER)


def played(engine: Engine, polls: Sequence[Sequence[Sent]], decode: ColumnarDecoding | None) -> tuple[object, list[Appended]]:
    """What stands in an empty ledger after these polls, and what it answered; its clock follows what was counted."""
    empty(engine)
    ledger = prepare(Ledger(engine, UNITS))
    stands: dict[tuple[Topic, int], int] = defaultdict(int)
    answers: list[Appended] = []
    for poll in polls:
        batches = []
        for part in {(found.topic, found.partition): found for found in poll}.values():
            batches.append(decoded(part, stands[part[:2]], decode))
            stands[part[:2]] += len(part.messages)
        answers += ledger.append_all(batches)
        until = ledger.greatest_event_at()
        if until is not None:
            every = [Position(TOPIC_IDS[topic], n, stands[topic, n]) for topic in EVENT_TOPICS for n in (0, 1)]
            ledger.raise_complete_until(every, until)
    found = contents(engine)
    for table, moment in (("clock", "advanced_at"), ("canary", "counted_at")):
        for row in found[table]:
            del row[moment]  # by the wall's time
    return found, answers


@some
@given(polls=st.lists(st.lists(sent(), min_size=1, max_size=4), min_size=1, max_size=4))
def test_columns_and_messages_make_the_same_ledger(engine: Engine, polls: list[list[Sent]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columnar_decoding, "_FEWEST", 0)
        found = played(engine, polls, ColumnarDecoding())
    assert found == played(engine, polls, None)


def test_a_sum_that_finds_no_room_refuses_the_same_events(engine: Engine) -> None:
    most = 10**12
    events = [make_event(sequence=number, record_count=most) for number in range(1, 41)]
    counted = Sent(Topic.CDA_DOCUMENTS, 0, [(b"gulou", encode(event)) for event in events], NOON)

    def near_limit(decode: ColumnarDecoding | None) -> tuple[Appended, object]:
        empty(engine)
        ledger = prepare(Ledger(engine, UNITS))
        with engine.begin() as connection:
            connection.exec_driver_sql(
                "INSERT INTO upload_day (unit_id, table_code, business_date, events, records)"
                f" VALUES ('gulou', 'C0002', '2024-09-09', 1, {2**63 - 1 - 5 * most})"
            )
        return ledger.append(decoded(counted, 0, decode)), contents(engine)["dead_letter"]

    assert near_limit(ColumnarDecoding()) == near_limit(None)
    assert near_limit(ColumnarDecoding())[0].dead_letters == 35


def test_whole_batches_are_counted_in_columns() -> None:
    events = [make_event(sequence=number) for number in range(1, 41)]
    batch = decoded(Sent(Topic.CDA_DOCUMENTS, 0, [(b"gulou", encode(event)) for event in events], NOON), 0, ColumnarDecoding())
    assert isinstance(batch.arrivals, ColumnArrivals)
    assert (len(batch.arrivals.events), batch.arrivals.others) == (40, [])
