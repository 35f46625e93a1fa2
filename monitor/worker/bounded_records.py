"""Messages out of what Kafka handed over, with bounded memory and past what cannot be read. Shell: kafka-python's inside.

kafka-python unpacks a whole record batch at once, however large, and one that is broken ends the consumer. Here a batch
(several messages, sent and packed together) is unpacked by `decompression`, never beyond a limit; what cannot be read is
handed over as one `UnreadableRecords` in place of its messages, and reading goes on behind it.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from kafka import KafkaConsumer
from kafka.consumer.fetcher import Fetcher
from kafka.protocol.consumer import IsolationLevel

from monitor.worker.decompression import CODECS, NotPacked, TooLarge, unpack
from schemas.topics import MAX_MESSAGE_BYTES

MAX_UNPACKED_BYTES: Final = 2 * MAX_MESSAGE_BYTES
"""What a batch may become. Producers fill a batch with at most some megabytes, whatever codec they use."""
_MAX_OLD_UNPACKED_BYTES: Final = MAX_MESSAGE_BYTES
"""In the formats before Kafka 0.11 all messages of a batch are laid out at once, so a batch of them may be less."""
_MAX_RECORDS: Final = 200_000
"""Messages in a batch. Ten times what a producer packs together at its largest, and tiny ones pack a thousandfold."""
_MAX_TAKEN_BYTES: Final = MAX_MESSAGE_BYTES
"""What one poll hands over, to the nearest message; ten thousand events are 2 MB."""
_WITH_BATCHES: Final = 2
"""The message format since Kafka 0.11 (KIP-98)."""
_OLD_HEADERS: Final = {0: 12 + 4 + 2, 1: 12 + 4 + 2 + 8}
"""Bytes before the key, in message formats 0 and 1: offset and length, checksum, format and attributes, and 1 has a time."""
_OLD_LEAST: Final = 14
_LENGTH: Final = struct.Struct(">i")


class EnoughTaken(Exception):
    """One poll has taken as many bytes as it may: ask again."""


@dataclass(frozen=True, slots=True)
class UnreadableRecords:
    """The messages from `offset` up to `next_offset`, which nobody can read. `value` is the batch as it came."""

    offset: int
    next_offset: int
    timestamp: int
    timestamp_type: int
    detail: str
    value: bytes


@dataclass
class TakenBytes:
    """How much the poll under way has handed over; `start` before each poll."""

    bytes: int = 0

    def start(self) -> None:
        self.bytes = 0


def read_bounded(consumer: KafkaConsumer, kind: "type[BoundedRecords] | None" = None) -> TakenBytes:
    """From now on what `consumer` polls is bounded, and UnreadableRecords may be among its records. Before its first poll.

    `kind`: BoundedRecords, or a class of it.
    """
    taken = TakenBytes()
    consumer._fetcher.PartitionRecords = type("Records", (kind or BoundedRecords,), {"taken_bytes": taken})
    return taken


class BoundedRecords(Fetcher.PartitionRecords):  # type: ignore[misc]
    """The messages of one partition that came with one answer."""

    taken_bytes = TakenBytes()

    def take(self, n: int | None = None) -> list[Any]:
        """At most `n`, and about as many bytes as a poll has left. Raises EnoughTaken when it has none left."""
        if self.taken_bytes.bytes >= _MAX_TAKEN_BYTES:
            raise EnoughTaken
        records = []
        for record in islice(self.record_iterator, n):
            records.append(record)
            self.taken_bytes.bytes += len(record.value or b"")
            if self.taken_bytes.bytes >= _MAX_TAKEN_BYTES:
                break
        return records

    def _unpack_records(self, tp: Any, records: Any, _key: Any, _value: Any) -> Iterator[Any]:
        while (batch := records.next_batch()) is not None:
            yield from self._of_batch(batch)
        self.drain()

    def _of_batch(self, batch: Any) -> Iterator[Any]:
        """The batch's messages, and UnreadableRecords from where it cannot be read."""
        next_offset = _next_offset(batch)
        stands: int = self.next_fetch_offset
        came = batch._buffer  # unpacking puts another in its place
        at = stands if batch.magic < _WITH_BATCHES else max(batch.base_offset, stands)
        try:
            if not batch.validate_crc():
                raise NotPacked("its checksum is wrong")
            if not self._is_skipped(batch):
                unpack_batch(batch)
                for record in read_records(batch, at, self.fetch_offset, came):
                    if not isinstance(record, UnreadableRecords):
                        self._note(record)
                    yield record
        except Exception as error:  # a sender decides what is in a batch, so whatever it makes the reader raise is the batch's
            yield unreadable(batch, at, error, came)
        self.next_fetch_offset: int = next_offset

    def _note(self, record: Any) -> None:
        self.records_read += 1
        self.bytes_read += record.size_in_bytes
        self.next_fetch_offset = record.offset + 1

    def _is_skipped(self, batch: Any) -> bool:
        """Whether its sender aborted it, or it only says how a transaction ended."""
        if batch.magic < _WITH_BATCHES:
            return False
        self.leader_epoch = batch.leader_epoch
        if self.isolation_level == IsolationLevel.READ_COMMITTED and batch.has_producer_id():
            self._consume_aborted_transactions_up_to(batch.last_offset)
            if self._contains_abort_marker(batch):
                self.aborted_producer_ids.discard(batch.producer_id)
            elif self._is_batch_aborted(batch):
                return True
        return bool(batch.is_control_batch)


def read_records(batch: Any, at: int, first: int, came: Any) -> Iterator[Any]:
    """The messages of a batch that has been unpacked, and UnreadableRecords from where it cannot be read.

    Messages before the offset `first` are not asked for, and were read before; the others stand at `at` or behind it.
    """
    next_offset = _next_offset(batch)
    try:
        for record in batch:
            was_read = record.offset < first and at <= first
            if not was_read and not at <= record.offset < next_offset:
                raise NotPacked(f"a message says that it stands at {record.offset}")
            if batch.magic < _WITH_BATCHES and not record.validate_crc():
                raise NotPacked(f"the checksum of message {record.offset} is wrong")
            at = max(at, record.offset + 1)
            yield record
    except Exception as error:  # a sender decides what is in a batch
        yield unreadable(batch, at, error, came)


def unreadable(batch: Any, at: int, error: Exception, came: Any) -> UnreadableRecords:
    """What stands for the messages of a batch from `at` on; `came` is the batch as it came."""
    next_offset = _next_offset(batch)
    known = isinstance(error, NotPacked | TooLarge)
    why = str(error) if known else f"its records are malformed ({type(error).__name__})"
    timestamp = batch.max_timestamp if batch.magic >= _WITH_BATCHES else -1
    return UnreadableRecords(at, next_offset, timestamp, batch.timestamp_type or 0, _place(at, next_offset) + why, bytes(came))


def unpack_batch(batch: Any) -> None:
    """Unpack a batch of kafka-python's in place, as it would itself, but within bounds. Raises TooLarge or NotPacked."""
    if batch._decompressed:
        return
    if batch.magic < _WITH_BATCHES:
        if batch.compression_type:
            batch._buffer = memoryview(_unpacked_old(batch))
            batch._decompressed = True
        return
    if not 0 <= batch.records_count <= min(_MAX_RECORDS, batch.last_offset_delta + 1):
        raise TooLarge(f"a batch of {batch.records_count} messages; at most {_MAX_RECORDS} are read")
    if batch.compression_type:
        packed = bytes(memoryview(batch._buffer)[batch._pos :])
        batch._buffer = unpack(batch.compression_type, packed, MAX_UNPACKED_BYTES)
        batch._pos = 0
    batch._decompressed = True


def codec_names() -> list[str]:
    """The codecs in which messages may come."""
    return ["none", *(codec.name for codec in CODECS.values())]


def _unpacked_old(batch: Any) -> bytes:
    """The messages within a message of format 0 or 1, seen to have sensible lengths."""
    buffer, at = batch._buffer, _OLD_HEADERS[batch.magic]
    (key_bytes,) = _LENGTH.unpack_from(buffer, at)
    at += _LENGTH.size + max(key_bytes, 0)
    (value_bytes,) = _LENGTH.unpack_from(buffer, at)
    at += _LENGTH.size
    unpacked = unpack(batch.compression_type, bytes(buffer[at : at + max(value_bytes, 0)]), _MAX_OLD_UNPACKED_BYTES)
    place = 0
    while place < len(unpacked):
        (length,) = _LENGTH.unpack_from(unpacked, place + 8)
        if length < _OLD_LEAST:
            raise NotPacked("a message within it is shorter than any")
        place += 12 + length
    return unpacked


def _next_offset(batch: Any) -> int:
    """Where the next batch begins. In format 2 the header says it; before, a batch bears its last message's offset."""
    base: int = batch.base_offset
    return max(batch.next_offset, base + 1) if batch.magic >= _WITH_BATCHES else base + 1


def _place(first: int, after: int) -> str:
    return f"the batch of messages {first} to {after - 1} cannot be read: " if after - first > 1 else "it cannot be read: "
