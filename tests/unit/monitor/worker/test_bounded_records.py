"""Batches of all formats and codecs, good and broken: what can be read is read as kafka-python reads it, the rest is one item."""

import gzip
import struct
import zlib
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, Final

import lz4.frame
import pytest
import zstandard
from kafka import TopicPartition
from kafka.consumer.fetcher import Fetcher
from kafka.protocol.consumer import IsolationLevel
from kafka.record import MemoryRecords, MemoryRecordsBuilder
from kafka.record.util import calc_crc32c

from monitor.worker import bounded_records
from monitor.worker.bounded_records import BoundedRecords, EnoughTaken, UnreadableRecords

PLACE: Final = TopicPartition("topic", 3)
VALUE: Final = b"value" * 20
CODEC_BYTE, CRC_AT, ATTRIBUTES_AT, COUNT_AT, BODY_AT = 22, 17, 21, 57, 61
PACK: Final = {1: gzip.compress, 3: lz4.frame.compress, 4: zstandard.ZstdCompressor().compress}


def batch(base: int, count: int, codec: int = 0, *, magic: int = 2, producer: int = -1, attributes: int = 0) -> bytes:
    """As a broker keeps it: at its place."""
    builder = MemoryRecordsBuilder(
        magic=magic,
        compression_type=codec,
        batch_size=1 << 20,
        transactional=producer >= 0,
        producer_id=producer,
        producer_epoch=0 if producer >= 0 else -1,
        base_sequence=0 if producer >= 0 else -1,
    )
    for number in range(count):
        key = b"\0\0\0\0" if attributes else b"key"  # of a control batch: version and type, here an abort
        builder.append(1_000 + number, key if number % 2 == 0 else None, VALUE)
    builder.close()
    packed = bytearray(builder.buffer())
    if magic < 2:
        last = base + count - 1 if codec and magic else base
        struct.pack_into(">q", packed, 0, last)
        return bytes(packed)
    struct.pack_into(">q", packed, 0, base)
    packed[CODEC_BYTE] |= attributes
    return signed(packed)


def signed(packed: bytearray) -> bytes:
    struct.pack_into(">i", packed, 8, len(packed) - 12)
    struct.pack_into(">I", packed, CRC_AT, calc_crc32c(memoryview(packed)[ATTRIBUTES_AT:]))
    return bytes(packed)


def around(body: bytes, base: int, count: int, codec: int) -> bytes:
    """A batch whose body is whatever a sender likes."""
    packed = bytearray(batch(base, 1))[:BODY_AT]
    packed[CODEC_BYTE] = codec
    struct.pack_into(">i", packed, 23, count - 1)
    struct.pack_into(">i", packed, COUNT_AT, count)
    return signed(packed + body)


def read(kind: type[Any], log: bytes, first: int = 0, aborted: Sequence[Any] = ()) -> tuple[list[Any], int]:
    """All that is handed over, two at a time, and where reading goes on."""
    records = kind(
        first, PLACE, MemoryRecords(log), isolation_level=IsolationLevel.READ_COMMITTED, aborted_transactions=list(aborted)
    )
    found: list[Any] = []
    while records:
        BoundedRecords.taken_bytes.start()
        found += records.take(2)
    return found, records.next_fetch_offset


LOGS: Final = {
    "plain": batch(0, 5) + batch(5, 1) + batch(6, 4),
    **{f"codec {codec}": batch(0, 3, codec) + batch(3, 4, codec) for codec in (1, 2, 3, 4)},
    **{f"format 1, codec {codec}": batch(0, 3, codec, magic=1) + batch(3, 1, magic=1) for codec in (0, 1, 2, 3)},
    "format 0": batch(0, 1, magic=0) + batch(1, 1, magic=0),
    "after compaction": batch(3, 2) + batch(50, 2, 1),
    "transactions": batch(0, 2, producer=7) + batch(2, 2, producer=8) + batch(4, 1, producer=7, attributes=0x20) + batch(5, 2),
}
ABORTED: Final = [SimpleNamespace(first_offset=0, producer_id=7)]


@pytest.mark.parametrize("first", [0, 1, 4])
@pytest.mark.parametrize("log", LOGS.values(), ids=LOGS)
def test_good_batches_are_read_as_kafka_python_reads_them(log: bytes, first: int) -> None:
    theirs, place = read(Fetcher.PartitionRecords, log, first, ABORTED)
    ours, our_place = read(BoundedRecords, log, first, ABORTED)
    assert list(map(told, ours)) == list(map(told, theirs))
    assert our_place == place


def told(record: Any) -> tuple[Any, ...]:
    return record.offset, record.timestamp, record.timestamp_type, record.key, record.value


def spoiled(packed: bytes, at: int) -> bytes:
    return packed[:at] + bytes([packed[at] ^ 0x55]) + packed[at + 1 :]


ZEROS: Final = bytes(64 << 20)
BROKEN: Final = {
    "another checksum": (spoiled(batch(5, 4), 80), "checksum"),
    "a codec of the future": (around(b"", 5, 4, 6), "codec 6"),
    "not what its codec writes": (around(b"nonsense", 5, 4, 4), "no zstd"),
    "malformed records": (around(b"\x7f" * 50, 5, 4, 0), "malformed"),
    "fewer records than it says": (around(batch(0, 3)[BODY_AT:], 5, 4, 0), "malformed"),
    "more records than anybody packs": (around(b"", 5, 300_000, 0), "300000 messages"),
    **{f"a bomb in codec {codec}": (around(pack(ZEROS), 5, 4, codec), "unpack to more than") for codec, pack in PACK.items()},
}


@pytest.mark.parametrize(("packed", "why"), BROKEN.values(), ids=BROKEN)
def test_a_batch_that_cannot_be_read_is_one_item_and_reading_goes_on_behind_it(packed: bytes, why: str) -> None:
    after = struct.unpack_from(">i", packed, 23)[0] + 6
    found, place = read(BoundedRecords, batch(0, 5) + packed + batch(after, 2))
    (bad,) = [item for item in found if isinstance(item, UnreadableRecords)]
    good = [item.offset for item in found if not isinstance(item, UnreadableRecords)]
    assert (bad.next_offset, bad.value) == (after, packed)
    assert why in bad.detail
    read_before_it_broke = list(range(5, bad.offset))
    assert good == [0, 1, 2, 3, 4, *read_before_it_broke, after, after + 1]
    assert place == after + 2


def test_a_message_that_says_it_stands_elsewhere_is_not_believed() -> None:
    found, _ = read(BoundedRecords, around(batch(0, 3)[BODY_AT:], 5, 2, 0) + batch(7, 1))
    assert [item.offset for item in found if not isinstance(item, UnreadableRecords)] == [5, 6, 7]


def test_an_old_bomb_and_an_old_batch_without_end_are_passed_over() -> None:
    def old(body: bytes) -> bytes:
        value = gzip.compress(body)
        message = struct.pack(">bbqi", 1, 1, 0, -1) + struct.pack(">i", len(value)) + value
        return struct.pack(">qiI", 5, len(message) + 4, zlib.crc32(message)) + message

    for body in (ZEROS, bytes(8) + struct.pack(">i", -12) + bytes(30)):
        found, place = read(BoundedRecords, old(body) + batch(6, 1), first=5)
        assert [type(item) is UnreadableRecords for item in found] == [True, False]
        assert place == 7


def test_one_poll_takes_so_many_bytes_and_the_next_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_records, "_MAX_TAKEN_BYTES", 3 * len(VALUE))
    records = BoundedRecords(0, PLACE, MemoryRecords(batch(0, 10, 1)))
    records.taken_bytes.start()
    assert [record.offset for record in records.take(100)] == [0, 1, 2]
    with pytest.raises(EnoughTaken):
        records.take(100)
    records.taken_bytes.start()
    assert [record.offset for record in records.take(100)] == [3, 4, 5]
