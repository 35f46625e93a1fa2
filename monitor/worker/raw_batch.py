"""What kafka-python handed over of one partition, as a raw batch. Core."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from monitor.counting.batch import Position, RawBatch, RawMessage, Unreadable
from monitor.worker.bounded_records import UnreadableRecords
from schemas.clock import from_millis
from schemas.topics import Topic

_LOG_APPEND_TIME: Final = 1
"""The timestamp type (KIP-32) of a message that is dated by the broker; 0 is the sender's clock, which may be wrong."""


def raw_batch(topic: Topic, name: str, start: Position, records: Sequence[Any], now: datetime) -> RawBatch:
    """The messages among `records`, and what is unreadable between them. `records` is not empty, and in offset order."""
    messages = []
    unreadable = []
    for record in records:
        if isinstance(record, UnreadableRecords):
            place = (record.offset, record.next_offset)
            unreadable.append(Unreadable(*place, received_at(record, now), record.detail, record.value))
        else:
            messages.append(RawMessage(record.offset, record.key, record.value, received_at(record, now)))
    last = records[-1]
    next_offset = last.next_offset if isinstance(last, UnreadableRecords) else last.offset + 1
    return RawBatch(topic, name, start, next_offset, messages, unreadable)


def received_at(record: Any, now: datetime) -> datetime:
    """When the broker took it, if the topic keeps that; else now."""
    return from_millis(record.timestamp) if record.timestamp_type == _LOG_APPEND_TIME else now
