"""The messages of record batches, found without being taken out: where each key and value lies. Core.

Records stand one after the other, each with its length before it (Kafka's message format v2). Where they begin is guessed
from the header that a value of ours has, or counted length by length. Invariant: either is believed only if each record,
read from there, ends where the next one begins; a batch in which anything is unusual is read record by record.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final, NamedTuple, overload

import numpy as np

from monitor.counting.batch import Position, RawBatch, RawMessage, Unreadable
from monitor.worker.bounded_records import UnreadableRecords
from monitor.worker.raw_batch import received_at
from monitor.worker.record_batches import LOG_APPEND_TIME, RecordBatch
from schemas.clock import from_millis, to_millis
from schemas.codec.packed import Marks, Numbers, Packed, read_varints
from schemas.codec.single_object import MARKER, released
from schemas.topics import Topic

_UNKNOWN: Final = -1
"""A time of receipt that the broker does not say."""


class Slices(NamedTuple):
    """Where messages lie. A length of -1 stands for no key or no value."""

    offsets: Numbers
    key_starts: Numbers
    key_lengths: Numbers
    value_starts: Numbers
    value_lengths: Numbers
    received_ms: Numbers

    def take(self, rows: Numbers) -> "Slices":
        return Slices(*(column[rows] for column in self))


class PackedMessages(Sequence[RawMessage]):
    """Messages in offset order, as places in `packed`."""

    def __init__(self, packed: Packed, slices: Slices) -> None:
        self.packed = packed
        self.slices = slices

    def __len__(self) -> int:
        return len(self.slices.offsets)

    @overload
    def __getitem__(self, place: int) -> RawMessage: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[RawMessage]: ...

    def __getitem__(self, place: int | slice) -> RawMessage | Sequence[RawMessage]:
        if isinstance(place, slice):
            return [self[index] for index in range(*place.indices(len(self)))]
        offset, key_start, key_length, value_start, value_length, received_ms = (int(column[place]) for column in self.slices)
        key = self.packed.slice(key_start, key_length) if key_length >= 0 else None
        value = self.packed.slice(value_start, value_length) if value_length >= 0 else None
        return RawMessage(offset, key, value, from_millis(received_ms))


class Packing(NamedTuple):
    """What was polled of one partition: messages, and what nobody can read."""

    messages: PackedMessages
    unreadable: list[UnreadableRecords]


def pack_messages(polled: Sequence[Any], first: int, now: datetime, headers: Sequence[bytes]) -> Packing:
    """The messages of what was polled, RecordBatches for the most part, from the offset `first` on.

    `now` is when they were received, where the broker does not say; `headers` are the 10 bytes that good values begin with.
    """
    batches = [found for found in polled if isinstance(found, RecordBatch)]
    packed = Packed([batch.value for batch in batches])
    ends = np.cumsum([len(batch.value) for batch in batches])
    slices, whole = _read_records(packed, batches, _record_starts(packed, batches, ends, headers), ends)
    singles = [found for found in polled if not isinstance(found, RecordBatch)]
    singles += [record for batch, is_whole in zip(batches, whole, strict=True) if not is_whole for record in batch.records()]
    unreadable = [found for found in singles if isinstance(found, UnreadableRecords)]
    if len(singles) > len(unreadable):
        packed = packed if len(slices.offsets) else Packed([])  # megabytes, perhaps, of which nothing is read
        packed, others = _laid_out(packed, [found for found in singles if not isinstance(found, UnreadableRecords)])
        slices = Slices(*(np.concatenate(columns) for columns in zip(slices, others, strict=True)))
    slices.received_ms[slices.received_ms < 0] = to_millis(now)
    if singles or (len(slices.offsets) and slices.offsets[0] < first):
        wanted = np.flatnonzero(slices.offsets >= first)
        slices = slices.take(wanted[np.argsort(slices.offsets[wanted], kind="stable")])
    return Packing(PackedMessages(packed, slices), sorted(unreadable, key=lambda found: found.offset))


def _record_starts(
    packed: Packed, batches: Sequence[RecordBatch], ends: Numbers, headers: Sequence[bytes]
) -> list[Numbers | None]:
    """Where the records of each batch may begin; None where that cannot be said."""
    values = _values(packed, headers)
    cuts = np.searchsorted(values, ends)
    begins, first = _before(ends), _before(cuts)
    guessed = _guessed_starts(packed, values, begins[first < cuts], first[first < cuts])
    starts: list[Numbers | None] = []
    for batch, begin, before, cut in zip(batches, begins.tolist(), first.tolist(), cuts.tolist(), strict=True):
        guess = cut - before == batch.count
        starts.append(guessed[before:cut] if guess else _counted_starts(batch.value, batch.count, begin))
    return starts


def _before(ends: Numbers) -> Numbers:
    """Where each of some parts begins that stand end to end."""
    return np.append(0, ends)[:-1]


def _values(packed: Packed, headers: Sequence[bytes]) -> Numbers:
    """Where one of `headers` stands, in ascending order."""
    places = [np.empty(0, np.int64)]
    for header in headers:
        first, second = (np.uint64(int.from_bytes(part, "little")) for part in (header[:8], header[8:]))
        likely = np.flatnonzero(packed.octets[: packed.size] == header[0])
        found = packed.words_from(likely, 2)
        places.append(likely[(found[0] == first) & (found[1] & np.uint64(0xFFFF) == second)])
    return np.sort(np.concatenate(places)) if len(headers) > 1 else places[-1]


def _guessed_starts(packed: Packed, values: Numbers, begins: Numbers, first: Numbers) -> Numbers:
    """The records' starts if each ends with its value and a byte that says "no headers"; a value's length stands before it.

    `begins` are where batches begin, and `first` the places of their first values among `values`.
    """
    last, other = packed.octets[values - 1].astype(np.int64), packed.octets[values - 2].astype(np.int64)
    lengths = np.where(other >= 0x80, last << 7 | other & 0x7F, last) >> 1
    starts = np.append(0, values + lengths + 1)[:-1]
    starts[first] = begins
    return packed.within(starts)


def _counted_starts(body: bytearray, count: int, begin: int) -> Numbers | None:
    """The records' starts, from length to length; None where that leads nowhere."""
    starts, at = [], 0
    try:
        for _ in range(count):
            starts.append(at)
            low = body[at]
            if low < 0x80:
                at += 1 + (low >> 1)
            else:
                high = body[at + 1]
                if high >= 0x80:
                    return None  # 8 kB and more: rare enough
                at += 2 + ((low & 0x7F | high << 7) >> 1)
    except IndexError:
        return None
    return np.array(starts, np.int64) + begin


def _read_records(
    packed: Packed, batches: Sequence[RecordBatch], starts: Sequence[Numbers | None], ends: Numbers
) -> tuple[Slices, list[bool]]:
    """The messages of all batches that read well from their starts to their end, and which batches those are."""
    likely = [number for number, found in enumerate(starts) if found is not None]
    counts = [batches[number].count for number in likely]
    begins = np.concatenate([np.empty(0, np.int64), *(found for found in starts if found is not None)])
    numbers = np.repeat(np.array(likely, np.int64), counts)
    first_offsets = np.array([batch.base_offset for batch in batches], np.int64)
    append_ms = np.array([_append_ms(batch) for batch in batches], np.int64)
    next_begins = np.append(begins[1:], 0)
    next_begins[np.cumsum(counts, dtype=np.int64) - 1] = ends[likely]
    slices, odd = _read_all(packed, begins, next_begins, first_offsets[numbers], append_ms[numbers])
    odd |= ~_in_order(slices.offsets, numbers, batches)
    whole = np.zeros(len(batches), bool)
    whole[likely] = True
    whole[numbers[odd]] = False
    return slices if whole.all() else slices.take(np.flatnonzero(whole[numbers])), whole.tolist()


def _in_order(offsets: Numbers, numbers: Numbers, batches: Sequence[RecordBatch]) -> Marks:
    """Whether each offset lies behind the one before it in its batch, and within what the batch's header says."""
    columns = [(batch.base_offset, batch.offset, batch.first, batch.at) for batch in batches]
    base, last, first, at = np.array(columns, np.int64).reshape(-1, 4).T[:, numbers]
    good: Marks = (offsets >= base) & (offsets <= last) & ((offsets < first) | (offsets >= at))
    good[1:] &= (numbers[1:] != numbers[:-1]) | (offsets[1:] > offsets[:-1])
    return good


def _read_all(
    packed: Packed, begins: Numbers, ends: Numbers, base_offsets: Numbers, received_ms: Numbers
) -> tuple[Slices, Marks]:
    """The records that stand at `begins`, and which of them do not read well, have headers or do not end at `ends`."""
    odd = np.zeros(len(begins), bool)
    lengths, at = read_varints(packed, begins, odd)
    odd |= at + lengths != ends
    odd |= packed.octets[at] != 0  # no attributes are defined
    _, at = read_varints(packed, packed.within(at + 1), odd)  # the sender's time
    deltas, at = read_varints(packed, at, odd)
    key_lengths, key_starts = read_varints(packed, at, odd)
    value_lengths, value_starts = read_varints(packed, packed.within(key_starts + np.maximum(key_lengths, 0)), odd)
    at = packed.within(value_starts + np.maximum(value_lengths, 0))
    odd |= (packed.octets[at] != 0) | (at + 1 != ends)
    return Slices(base_offsets + deltas, key_starts, key_lengths, value_starts, value_lengths, received_ms), odd


def _laid_out(packed: Packed, records: Sequence[Any]) -> tuple[Packed, Slices]:
    """Messages that come record by record, behind the bytes that are packed already."""
    parts: list[bytes] = [packed.slice(0, packed.size)]
    rows = []
    at = packed.size
    for record in records:
        key, value = record.key or b"", record.value or b""
        key_length, value_length = (-1 if part is None else len(part) for part in (record.key, record.value))
        rows.append((record.offset, at, key_length, at + len(key), value_length, _append_ms(record)))
        parts += [key, value]
        at += len(key) + len(value)
    columns = np.array(rows, np.int64).reshape(-1, len(Slices._fields)).T
    return Packed(parts), Slices(*columns)


def _append_ms(found: Any) -> int:
    """When the broker took a batch or a message."""
    return int(found.timestamp) if found.timestamp_type == LOG_APPEND_TIME else _UNKNOWN


def packed_batch(topic: Topic, name: str, start: Position, polled: Sequence[Any], now: datetime) -> RawBatch:
    """What `raw_batch` makes of the same messages, with PackedMessages."""
    messages, unreadable = pack_messages(polled, start.offset, now, _headers(topic))
    odd = [
        Unreadable(found.offset, found.next_offset, received_at(found, now), found.detail, found.value) for found in unreadable
    ]
    last = polled[-1]
    next_offset = last.next_offset if isinstance(last, UnreadableRecords | RecordBatch) else last.offset + 1
    return RawBatch(topic, name, start, next_offset, messages, odd)


@cache
def _headers(topic: Topic) -> list[bytes]:
    """What good values of a topic begin with."""
    return [MARKER + version.fingerprint for version in released() if version.topic is topic]
