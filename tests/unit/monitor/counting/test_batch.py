"""What a message becomes that cannot be an event, and rows as the arrivals of a batch."""

from dataclasses import replace

from monitor.counting.batch import Batch, RawMessage, Rows, Unreadable
from monitor.counting.fold import Known, fold, touched
from monitor.counting.streams import Stream, stream_of
from schemas.codec.reasons import Reason
from schemas.events import DeadLetter
from tests.factories import NOON, RECEIVED, UNIT, make_arrivals, make_batch, make_event
from tests.unit.monitor.merging import HASHER

MESSAGES = [RawMessage(offset, b"key %d" % offset, b"value %d" % offset, NOON) for offset in (4, 7, 9)]


def test_a_dead_letter_has_the_bytes_of_the_message_at_its_offset() -> None:
    raw = replace(make_batch(first=4, partition=1).raw, messages=MESSAGES)
    for offset in (4, 7, 9):
        assert raw.dead_letter(offset, Reason.TRUNCATED, "cut") == DeadLetter(
            raw.topic_name, 1, offset, NOON, Reason.TRUNCATED, "cut", b"key %d" % offset, b"value %d" % offset
        )


def test_messages_that_came_packed_and_cannot_be_read_are_one_dead_letter_where_the_first_would_stand() -> None:
    packed = [Unreadable(5, 8, RECEIVED, "snappy: what?", b"\x00\x01"), Unreadable(9, 10, NOON, "zstd", b"\x02")]
    raw = replace(make_batch(partition=1).raw, unreadable=packed)
    assert raw.unreadable_letters() == [
        DeadLetter(raw.topic_name, 1, 5, RECEIVED, Reason.UNREADABLE_BATCH, "snappy: what?", None, b"\x00\x01"),
        DeadLetter(raw.topic_name, 1, 9, NOON, Reason.UNREADABLE_BATCH, "zstd", None, b"\x02"),
    ]
    assert make_batch().raw.unreadable_letters() == []


def test_rows_are_counted_as_the_events_that_they_are() -> None:
    events = [make_event(), make_event(sequence=3), make_event(sequence=3)]
    arrivals = make_arrivals(events)

    def known() -> Known:
        return Known({stream_of(events[0]): Stream()}, HASHER)

    batch: Batch = make_batch(*events)
    assert isinstance(batch.arrivals, Rows)
    assert batch.arrivals.rows() == arrivals
    assert list(batch.arrivals.touched()) == list(touched(arrivals)) == [stream_of(events[0])]
    assert batch.arrivals.units() == {UNIT: 3}
    assert batch.arrivals.fold(known()) == fold(arrivals, known())
    assert Rows().rows() == ()
