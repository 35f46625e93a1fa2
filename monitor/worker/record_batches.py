"""Record batches from Kafka as a whole, where kafka-python hands out record by record. Shell: kafka-python's inside.

What is done about checksums, codecs, limits, aborted transactions and control batches is done by `bounded_records`, and what
it calls unreadable is unreadable here. Invariant: a release of kafka-python whose inside is another is noticed by
`difference` before the first message, and never by a wrong count.
"""

import struct
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

from kafka import TopicPartition
from kafka.protocol.consumer import IsolationLevel
from kafka.record import MemoryRecords, MemoryRecordsBuilder
from kafka.record.default_records import DefaultRecordBatch
from kafka.record.util import calc_crc32c

from monitor.worker.bounded_records import BoundedRecords, UnreadableRecords, read_records, unpack_batch, unreadable

LOG_APPEND_TIME: Final = 1
_WITH_BATCHES: Final = 2
"""The message format since Kafka 0.11 (KIP-98): what is older has no batches to speak of, and comes record by record."""
_LENGTH_AT, _EPOCH_AT, _CHECKSUM_AT, _ATTRIBUTES_AT = 8, 12, 17, 21
"""Places in the header of a batch; the checksum is of all that follows it."""
_EPOCH: Final = 7
_TAKEN: Final = 1
"""The self-check begins in the midst of a batch, as a worker does that goes on where another has stopped."""


class RecordBatch:
    """Messages as a producer sent them, unpacked and not yet read.

    `value` holds the records one after the other, `offset` is the last one's. Those before the offset `first` are not wanted,
    and the others stand at `at` or behind it. `timestamp` is when the broker took them, if `timestamp_type` says so, as
    kafka-python has it of a message.
    """

    __slots__ = (
        "_batch",
        "_came",
        "at",
        "base_offset",
        "count",
        "first",
        "next_offset",
        "offset",
        "timestamp",
        "timestamp_type",
        "value",
    )

    def __init__(self, batch: Any, at: int, first: int) -> None:
        self._batch = batch
        self._came: bytearray = batch._buffer
        self.first = first
        unpack_batch(batch)
        self.value: bytearray = batch._buffer[batch._pos :]
        self.at = at
        self.base_offset: int = batch.base_offset
        self.offset: int = batch.last_offset
        self.next_offset: int = batch.next_offset
        self.count: int = batch.records_count
        self.timestamp: int = batch.max_timestamp
        self.timestamp_type: int = batch.timestamp_type

    def records(self) -> Iterator[Any]:
        """Its messages one by one, as kafka-python reads them, and UnreadableRecords where it cannot; once only."""
        return read_records(self._batch, self.at, self.first, self._came)


class WholeBatches(BoundedRecords):
    """The batches of one partition that came with one answer."""

    def _of_batch(self, batch: Any) -> Iterator[Any]:
        stands: int = self.next_fetch_offset
        if batch.magic < _WITH_BATCHES or not batch.validate_crc():
            yield from super()._of_batch(batch)
            return
        at = max(batch.base_offset, stands)
        came = batch._buffer
        try:
            found = None if self._is_skipped(batch) or not batch.records_count else RecordBatch(batch, at, self.fetch_offset)
        except Exception as error:  # a sender decides what is in a batch
            yield unreadable(batch, at, error, came)
        else:
            if found is not None:
                self.records_read += found.count
                self.bytes_read += batch.size_in_bytes
                self.next_fetch_offset = max(batch.next_offset, batch.base_offset + 1)
                yield found
        self.next_fetch_offset: int = max(batch.next_offset, batch.base_offset + 1)


def difference() -> str | None:
    """In what the batches differ from what this kafka-python makes of the same bytes; None when they do not.

    Packs a few messages in all the ways that a broker may hand out, and unpacks them both ways.
    """
    try:
        log, aborted = _small_log()
        isolations = (IsolationLevel.READ_UNCOMMITTED, IsolationLevel.READ_COMMITTED)
        found = [_difference(log, aborted, isolation) for isolation in isolations]
        if not _sees_wrong_checksum(log):
            found.append("a wrong checksum is not seen")
    except Exception as error:  # whatever a strange inside may raise
        return f"{type(error).__name__}: {error}"
    return next((difference for difference in found if difference is not None), None)


def _difference(log: bytes, aborted: list[Any], isolation: Any) -> str | None:
    theirs, ours = (_unpacked(kind, log, aborted, isolation, _TAKEN) for kind in (BoundedRecords, WholeBatches))
    wanted = [(record.offset, record.key, record.value) for record in theirs.taken]
    found = [record for batch in ours.taken for record in batch.records() if record.offset >= _TAKEN]
    if not wanted or [(record.offset, record.key, record.value) for record in found] != wanted:
        return "other messages"
    if (ours.records.next_fetch_offset, ours.records.leader_epoch) != (theirs.records.next_fetch_offset, _EPOCH):
        return "another place to go on at"
    appended, told = (
        {found.timestamp for found in taken.taken if found.timestamp_type == LOG_APPEND_TIME} for taken in (theirs, ours)
    )
    return None if appended and appended == told else "other times"


def _sees_wrong_checksum(log: bytes) -> bool:
    changed = log[:-1] + bytes([log[-1] ^ 1])
    taken = _unpacked(WholeBatches, changed, [], IsolationLevel.READ_UNCOMMITTED, 0).taken
    return isinstance(taken[-1], UnreadableRecords)


class _Unpacked(NamedTuple):
    records: Any
    taken: list[Any]


def _unpacked(kind: type[Any], log: bytes, aborted: list[Any], isolation: Any, first: int) -> _Unpacked:
    """What is taken of a log from the offset `first` on."""
    place = TopicPartition("self-check", 0)
    records = kind(first, place, MemoryRecords(log), isolation_level=isolation, aborted_transactions=aborted)
    taken: list[Any] = []
    while records:  # the client asks so
        taken += records.take(2)
    return _Unpacked(records, taken)


def _small_log() -> tuple[bytes, list[Any]]:
    """Batches of all kinds, one after the other, and the transaction that was aborted."""
    sender, gone = 11, 12
    batches = [
        _batch(0, 3, compression=0),
        _batch(3, 2, compression=1),
        _batch(5, 2, attributes=DefaultRecordBatch.TIMESTAMP_TYPE_MASK),
        _batch(7, 2, producer=gone),
        _batch(9, 2, producer=sender),
        _batch(11, 1, producer=gone, attributes=DefaultRecordBatch.CONTROL_MASK),
        _batch(12, 1, producer=gone),
        _batch(13, 1, producer=sender, attributes=DefaultRecordBatch.CONTROL_MASK, key=b"\0\0\0\1"),
        _batch(14, 2),
    ]
    return b"".join(batches), [SimpleNamespace(first_offset=7, producer_id=gone)]


def _batch(
    base: int, count: int, *, compression: int = 0, producer: int = -1, attributes: int = 0, key: bytes = b"\0\0\0\0"
) -> bytes:
    """A batch as the broker keeps it: at its place, with what only a broker sets."""
    packer = MemoryRecordsBuilder(
        magic=_WITH_BATCHES,
        compression_type=compression,
        batch_size=1 << 16,
        transactional=producer >= 0,
        producer_id=producer,
        producer_epoch=0 if producer >= 0 else -1,
        base_sequence=0 if producer >= 0 else -1,
    )
    for number in range(count):
        packer.append(1_000 + number, key if number % 2 == 0 else None, b"value" * 20 if number % 3 < 2 else None, [("h", b"x")])
    packer.close()
    return _at_its_place(packer.records()._buffer, base, attributes)


def _at_its_place(packed: bytearray, base: int | None, attributes: int, grown_by: int = 0) -> bytes:
    if base is not None:
        struct.pack_into(">q", packed, 0, base)
    struct.pack_into(">i", packed, _LENGTH_AT, struct.unpack_from(">i", packed, _LENGTH_AT)[0] + grown_by)
    struct.pack_into(">i", packed, _EPOCH_AT, _EPOCH)
    packed[_ATTRIBUTES_AT + 1] |= attributes
    struct.pack_into(">I", packed, _CHECKSUM_AT, calc_crc32c(memoryview(packed)[_ATTRIBUTES_AT:]))
    return bytes(packed)
