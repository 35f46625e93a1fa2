"""Whole record batches against what kafka-python makes of the same bytes, record by record."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kafka.protocol.consumer import IsolationLevel
from kafka.record import MemoryRecords, MemoryRecordsBuilder

from monitor.counting.batch import RawMessage
from monitor.worker import record_batches
from monitor.worker.bounded_records import BoundedRecords, UnreadableRecords
from monitor.worker.packed_messages import pack_messages
from monitor.worker.record_batches import RecordBatch, difference
from schemas.clock import from_millis
from schemas.codec import single_object
from schemas.topics import Topic
from tests.unit.schemas.golden import GOLDEN

Content = list[tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]], int]]

HEADER = 61
"""Bytes before the records of a batch."""
NOW = datetime(2024, 9, 10, 4, 1, tzinfo=UTC)
HEADERS = [version.fingerprint for version in single_object.released() if version.topic is Topic.CDA_DOCUMENTS]
HEADERS = [single_object.MARKER + fingerprint for fingerprint in HEADERS]

values = st.one_of(
    st.sampled_from([golden.value for golden in GOLDEN]),
    st.sampled_from([golden.value for golden in GOLDEN]),
    st.binary(max_size=40),
    st.binary(max_size=30).map(lambda rest: HEADERS[0] + rest),
    st.sampled_from([None, b"", b"x" * 63, b"x" * 64, b"y" * 8_192, HEADERS[0] * 3, GOLDEN[0].value * 200]),
)
keys = st.none() | st.binary(max_size=12) | st.just(b"gulou")
headers = st.lists(st.tuples(st.text(max_size=3), st.none() | st.binary(max_size=4)), max_size=2)
messages = st.lists(
    st.tuples(keys, values, st.one_of(st.just([]), st.just([]), headers), st.integers(0, 10**7)), min_size=1, max_size=8
)
batches = st.tuples(messages, st.sampled_from([0, 0, 1]), st.sampled_from([0, 8]), st.integers(0, 2))


def packed_batch(base: int, content: Content, **attributes: int) -> bytes:
    """One batch as the broker keeps it."""
    builder = MemoryRecordsBuilder(magic=2, compression_type=attributes.pop("compression", 0), batch_size=1 << 22)
    for key, value, record_headers, stamp in content:
        builder.append(1_700_000_000_000 + stamp, key, value, record_headers)
    builder.close()
    return record_batches._at_its_place(builder.records()._buffer, base, attributes.pop("attributes", 0))


def read(kind: type[Any], log: bytes, first: int = 0) -> list[Any]:
    found: list[Any] = record_batches._unpacked(kind, log, [], IsolationLevel.READ_UNCOMMITTED, first).taken
    return found


Read = tuple[list[RawMessage], list[UnreadableRecords]]


def by_record(log: bytes, first: int) -> Read:
    found = read(BoundedRecords, log, first)
    messages = [
        RawMessage(record.offset, record.key, record.value, from_millis(record.timestamp) if record.timestamp_type == 1 else NOW)
        for record in found
        if not isinstance(record, UnreadableRecords)
    ]
    return messages, [record for record in found if isinstance(record, UnreadableRecords)]


def by_batch(log: bytes, first: int) -> Read:
    packing = pack_messages(read(record_batches.WholeBatches, log, first), first, NOW, HEADERS)
    return list(packing.messages), packing.unreadable


def laid_out(cases: list[tuple[Any, int, int, int]]) -> dict[int, bytearray]:
    """Batches one after the other, by the offset of their last message; compaction and transactions leave gaps between them."""
    whole, offset = {}, 0
    for content, compression, attributes, lost in cases:
        packed = packed_batch(offset, content, compression=compression, attributes=attributes)
        whole[offset + len(content) - 1] = bytearray(packed)
        offset += len(content) + lost
    return whole


def answer(whole: dict[int, bytearray], first: int) -> bytes:
    """What a broker gives of them to whom asks for the messages from `first` on."""
    return b"".join(batch for last, batch in whole.items() if last >= first)


@settings(max_examples=60, deadline=None)
@given(st.lists(batches, max_size=5), st.data())
def test_the_messages_are_those_that_kafka_python_hands_out(cases: list[tuple[Any, int, int, int]], data: st.DataObject) -> None:
    whole = laid_out(cases)
    first = data.draw(st.integers(0, max(whole, default=0)))
    log = answer(whole, first)
    assert by_batch(log, first) == by_record(log, first)


edits = st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 255)), min_size=1, max_size=3)


@settings(max_examples=60)
@given(st.lists(batches, min_size=1, max_size=3), edits, st.data())
def test_of_a_broken_batch_is_read_what_is_read_record_by_record(
    cases: list[tuple[Any, int, int, int]], changes: list[tuple[int, int]], data: st.DataObject
) -> None:
    """Broken by its sender, that is: the checksum is right."""
    whole = laid_out([(content, 0, attributes, lost) for content, _, attributes, lost in cases])
    broken = whole[data.draw(st.sampled_from(sorted(whole)))]
    for place, byte in changes:
        broken[HEADER + place % (len(broken) - HEADER)] = byte
    first = data.draw(st.integers(0, max(whole)))
    log = answer({last: bytearray(record_batches._at_its_place(batch, None, 0)) for last, batch in whole.items()}, first)
    assert by_batch(log, first) == by_record(log, first)


@pytest.mark.parametrize("read_as", [by_batch, by_record])
def test_a_message_that_stands_before_those_that_were_read_ends_its_batch(read_as: Callable[[bytes, int], Read]) -> None:
    content: Content = [(b"gulou", value, [], 0) for value in (b"one", b"two", b"six")]
    log = bytearray(packed_batch(0, content))
    third = log.rindex(b"gulou") - 2  # before the key stand its length and the message's offset, from the batch's own
    assert log[third] == 2 << 1
    log[third] = 0
    messages, unreadable = read_as(record_batches._at_its_place(log, None, 0), 1)
    assert [message.value for message in messages] == [b"two"]
    assert [(found.offset, found.next_offset) for found in unreadable] == [(2, 3)]


def test_good_values_are_found_without_being_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is any batch read record by record: else it would be right, and slow."""
    content: Content = [(b"gulou", GOLDEN[0].value, [], number) for number in range(300)]
    log = packed_batch(0, content) + packed_batch(300, content, compression=1)
    monkeypatch.setattr("monitor.worker.packed_messages._counted_starts", None)
    monkeypatch.setattr(RecordBatch, "records", None)
    assert [message.value for message in by_batch(log, 0)[0]] == [GOLDEN[0].value] * 600


def test_bad_values_among_good_ones_are_not_read_record_by_record(monkeypatch: pytest.MonkeyPatch) -> None:
    content: Content = [(b"gulou", GOLDEN[0].value if number % 7 else b"poison", [], number) for number in range(300)]
    content += [(None, None, [], 300)]
    log = packed_batch(5, content)
    wanted = by_record(log, 5)
    monkeypatch.setattr(RecordBatch, "records", None)
    assert by_batch(log, 5) == wanted


def test_messages_can_be_taken_by_place_and_by_slice() -> None:
    found = pack_messages(read(record_batches.WholeBatches, packed_batch(3, [(b"k", b"v", [], 0)] * 5)), 4, NOW, HEADERS).messages
    assert (len(found), found[0].offset, found[-1].offset, [message.offset for message in found[1:3]]) == (4, 4, 7, [5, 6])
    assert found[2] == RawMessage(6, b"k", b"v", NOW)


def test_no_batches_are_no_messages() -> None:
    assert list(pack_messages([], 0, NOW, HEADERS).messages) == []


@pytest.mark.parametrize("magic", [0, 1])
def test_messages_in_an_old_format_are_handed_out_too(magic: int) -> None:
    builder = MemoryRecordsBuilder(magic=magic, compression_type=0, batch_size=1 << 16)
    for number in range(3):
        builder.append(1_000, b"k", b"%d" % number)
    builder.close()
    log = bytes(builder.records()._buffer)
    assert [message.value for message in by_batch(log, 1)[0]] == [b"1", b"2"]


def test_a_batch_with_another_checksum_or_records_that_do_not_fit_is_unreadable() -> None:
    log = bytearray(packed_batch(0, [(b"k", b"v" * 50, [], 0)]))
    longer = record_batches._at_its_place(bytearray(log + b"\0\0"), 0, 0, grown_by=2)
    log[-2] ^= 1
    for broken in (bytes(log), longer):
        _, unreadable = by_batch(broken, 0)
        assert len(unreadable) == 1
        assert by_batch(broken, 0) == by_record(broken, 0)


def test_this_kafka_python_is_one_that_we_know() -> None:
    assert difference() is None


@pytest.mark.parametrize("change", ["_consume_aborted_transactions_up_to", "_is_batch_aborted", "_contains_abort_marker"])
def test_a_kafka_python_with_another_inside_is_noticed(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_batches.WholeBatches, change, lambda *_: None)
    assert difference() is not None


def test_a_kafka_python_whose_batches_lack_something_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("kafka.record.default_records.DefaultRecordBatch.max_timestamp")
    assert difference() is not None


def test_a_checksum_that_nobody_compares_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kafka.record.default_records.DefaultRecordBatch.validate_crc", lambda _: True)
    assert difference() == "a wrong checksum is not seen"


def test_a_small_log_holds_what_a_broker_can_put_around_messages() -> None:
    log, _ = record_batches._small_log()
    batches = MemoryRecords(log)
    kinds = set()
    while (batch := batches.next_batch()) is not None:
        kinds.add((batch.compression_type, batch.is_control_batch, batch.is_transactional, batch.timestamp_type))
    assert len(kinds) == 5
