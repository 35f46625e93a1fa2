"""Batches decoded in columns against their oracle, `decode_batch`."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kafka.record import MemoryRecordsBuilder

from monitor.counting.batch import Position, RawBatch
from monitor.worker import columnar_decoding
from monitor.worker.bounded_records import BoundedRecords
from monitor.worker.columnar_decoding import ColumnarDecoding
from monitor.worker.decoding import decode_batch, senders
from monitor.worker.packed_messages import packed_batch
from monitor.worker.raw_batch import raw_batch
from monitor.worker.record_batches import WholeBatches
from schemas.codec.encode import encode
from schemas.codec.reasons import Reason
from schemas.register import load_register
from schemas.topics import EVENT_TOPICS, Topic, topic_name
from tests.factories import make_event
from tests.unit.monitor.test_record_batches import read
from tests.unit.schemas.conftest import COLUMNAR_TOPICS
from tests.unit.schemas.golden import GOLDEN
from tests.unit.schemas.test_columnar import messages

NOW = datetime(2024, 9, 10, 4, 1, tzinfo=UTC)
REGISTER = load_register()
keys = st.sampled_from([None, b"gulou", b"gulou", b"gulou", b"xuanwu", b"", b"nobody", "字".encode()])


def raws(topic: Topic, content: list[tuple[bytes | None, Any]]) -> tuple[RawBatch, RawBatch]:
    """The same messages, message by message and as a whole batch."""
    builder = MemoryRecordsBuilder(magic=2, compression_type=0, batch_size=1 << 22)
    for key, value in content:
        builder.append(1_700_000_000_000, key, value)
    builder.close()
    log = bytes(builder.records()._buffer)
    place = (topic, topic_name(topic), Position("id", 3, 0))
    return raw_batch(*place, read(BoundedRecords, log), NOW), packed_batch(*place, read(WholeBatches, log), NOW)


@settings(max_examples=150)
@given(st.data(), st.sampled_from(COLUMNAR_TOPICS), st.booleans())
def test_a_batch_in_columns_is_what_its_messages_are(data: st.DataObject, topic: Topic, null_keys: bool) -> None:
    content = data.draw(st.lists(st.tuples(keys, messages(topic)), min_size=1, max_size=12))
    plain, whole = raws(topic, content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columnar_decoding, "_FEWEST", 0)
        found = ColumnarDecoding()(whole, REGISTER, null_keys=null_keys)
    wanted = decode_batch(plain, REGISTER, null_keys=null_keys)
    assert list(found.arrivals.rows()) == list(wanted.arrivals.rows())
    assert list(found.dead_letters) == list(wanted.dead_letters)


@pytest.mark.parametrize("topic", EVENT_TOPICS)
def test_every_topic_can_be_decoded(topic: Topic) -> None:
    golden = next(golden for golden in GOLDEN if golden.topic is topic)
    plain, whole = raws(topic, [(golden.event.unit_id.encode(), golden.value)] * 20 + [(None, b"poison")])
    found, wanted = ColumnarDecoding()(whole, REGISTER), decode_batch(plain, REGISTER)
    assert (len(found.arrivals.rows()), len(found.dead_letters)) == (20, 1)
    assert (found.arrivals.rows(), found.dead_letters) == (wanted.arrivals.rows(), wanted.dead_letters)


def test_a_register_that_has_changed_is_taken() -> None:
    decode = ColumnarDecoding()
    _, whole = raws(Topic.CDA_DOCUMENTS, [(b"gulou", encode(make_event()))] * 20)
    assert len(decode(whole, REGISTER).arrivals.rows()) == 20
    smaller = replace(REGISTER, units={name: unit for name, unit in REGISTER.units.items() if name != "gulou"})
    assert len(decode(whole, smaller).dead_letters) == 20
    assert len(decode(whole, REGISTER).arrivals.rows()) == 20


@pytest.mark.parametrize("others", [0, 20])
def test_what_was_simulated_is_refused_unless_told_in_columns_and_one_by_one(others: int) -> None:
    made_up = [(b"gulou", encode(make_event(sequence=number, series="simulated-2024-09-0a1b2c3d"))) for number in range(1, 21)]
    real = [(b"gulou", encode(make_event(sequence=number))) for number in range(1, others + 1)]
    plain, whole = raws(Topic.CDA_DOCUMENTS, [*real, *made_up])
    found, wanted = ColumnarDecoding()(whole, REGISTER, simulated=False), decode_batch(plain, REGISTER, simulated=False)
    assert (found.arrivals.rows(), found.dead_letters) == (wanted.arrivals.rows(), wanted.dead_letters)
    assert [event.series for _, event, _ in found.arrivals.rows()] == [""] * others
    assert {letter.reason for letter in found.dead_letters} == {Reason.SIMULATED}
    assert (len(found.dead_letters), senders(found)) == (
        20,
        (Counter(dict.fromkeys(["gulou"] * bool(others), others)), Counter()),
    )
    assert len(ColumnarDecoding()(whole, REGISTER).arrivals.rows()) == others + 20
