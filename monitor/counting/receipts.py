"""Receipts: proof that a sequence number was counted, and as which event. Core.

A receipt is the keyed hash of an event's id (8 bytes; see `receipt_hash`). Receipts of one stream whose numbers follow each
other are one run.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple, TypeVar

import numpy as np

from monitor.counting.receipt_hash import HASH_BYTES
from monitor.counting.streams import StreamKey
from schemas.codec.packed import Marks, Numbers, Words
from schemas.events import UnitId
from schemas.topics import Topic


class ReceiptRun(NamedTuple):
    """Receipts of the numbers from `first` on, one after the other in `hashes`, and the range of their business dates."""

    stream: StreamKey
    first: int
    oldest: date
    newest: date
    hashes: bytes

    @property
    def last(self) -> int:
        return self.first + len(self.hashes) // HASH_BYTES - 1

    def hash_of(self, sequence: int) -> bytes | None:
        """The receipt of a number, None if it lies outside."""
        place = (sequence - self.first) * HASH_BYTES
        return self.hashes[place : place + HASH_BYTES] if 0 <= place < len(self.hashes) else None


class Receipts:
    """Receipts that were stored before, as far as a batch needs them, and those that it adds."""

    def __init__(self, stored: Iterable[ReceiptRun] = ()) -> None:
        self._stored = _sorted(stored)
        self._added: dict[StreamKey, list[_Open]] = defaultdict(list)

    def find(self, stream: StreamKey, sequence: int) -> bytes | None:
        """As what a number was counted; None when its receipt was pruned."""
        for run in (_run_before(self._added.get(stream, ()), sequence), _run_before(self._stored.get(stream, ()), sequence)):
            if run is not None and (found := run.hash_of(sequence)) is not None:
                return found
        return None

    def differ(self, stream: StreamKey, numbers: Numbers, receipts: Words) -> Marks:
        """Which of many numbers have another receipt than these."""
        runs: list[ReceiptRun | _Open] = [*self._stored.get(stream, ()), *self._added.get(stream, ())]
        runs.sort(key=lambda found: found.first)
        marks = np.zeros(len(numbers), bool)
        if runs:
            first = np.array([found.first for found in runs])
            count = np.array([len(found.hashes) // HASH_BYTES for found in runs])
            run = np.searchsorted(first, numbers, "right") - 1
            place = numbers - first[run]
            rows = np.flatnonzero((run >= 0) & (place < count[run]))
            hashes = np.frombuffer(b"".join(found.hashes for found in runs), "<u8")
            marks[rows] = hashes[(np.cumsum(count) - count)[run[rows]] + place[rows]] != receipts[rows]
        return marks

    def add(self, stream: StreamKey, sequence: int, day: date, receipt: bytes) -> None:
        """The receipt of one number that had none."""
        self.add_run(ReceiptRun(stream, sequence, day, day, receipt))

    def add_run(self, run: ReceiptRun) -> None:
        """Receipts of numbers that had none."""
        open_runs = self._added[run.stream]
        place = bisect_right(open_runs, run.first, key=lambda found: found.first)
        if place and open_runs[place - 1].next == run.first:
            open_runs[place - 1].extend(run)
        else:
            open_runs.insert(place, _Open(run.first, run.oldest, run.newest, bytearray(run.hashes)))

    def added(self) -> Iterator[ReceiptRun]:
        """What was added, by stream and number."""
        for stream in sorted(self._added):
            for run in self._added[stream]:
                yield ReceiptRun(stream, run.first, run.oldest, run.newest, bytes(run.hashes))


@dataclass(slots=True)
class _Open:
    """A run that grows."""

    first: int
    oldest: date
    newest: date
    hashes: bytearray

    @property
    def next(self) -> int:
        return self.first + len(self.hashes) // HASH_BYTES

    def extend(self, run: ReceiptRun) -> None:
        self.oldest, self.newest = min(self.oldest, run.oldest), max(self.newest, run.newest)
        self.hashes += run.hashes

    def hash_of(self, sequence: int) -> bytes | None:
        place = (sequence - self.first) * HASH_BYTES
        return bytes(self.hashes[place : place + HASH_BYTES]) if 0 <= place < len(self.hashes) else None


_Run = TypeVar("_Run", ReceiptRun, _Open)


@dataclass
class OtherSeries:
    """Event ids, as hashes, and the series in which each was received (None: several), of units that have more than one.

    A unit whose counter starts again begins a new series and may send its last days once more: the same event under another
    number. A unit and topic that is not in `ids` has one series, and needs no memory.
    """

    ids: dict[tuple[UnitId, Topic], dict[bytes, str | None]] = field(default_factory=dict)

    def has(self, stream: StreamKey, receipt: bytes) -> bool:
        """Whether the unit sent this event in another series of the topic."""
        known = self.ids.get((stream.unit_id, stream.topic))
        return known is not None and known.get(receipt, stream.series) != stream.series

    def watches(self, stream: StreamKey) -> bool:
        """Whether there is, or may be, another series."""
        return (stream.unit_id, stream.topic) in self.ids

    def add(self, stream: StreamKey, receipts: Iterable[bytes]) -> None:
        """Events that were received in `stream`."""
        known = self.ids.get((stream.unit_id, stream.topic))
        if known is None:
            return
        for receipt in receipts:
            if known.setdefault(receipt, stream.series) != stream.series:
                known[receipt] = None


def _sorted(runs: Iterable[ReceiptRun]) -> dict[StreamKey, list[ReceiptRun]]:
    found: dict[StreamKey, list[ReceiptRun]] = defaultdict(list)
    for run in sorted(runs, key=lambda run: (run.stream, run.first)):
        found[run.stream].append(run)
    return dict(found)


def _run_before(runs: Sequence[_Run], sequence: int) -> _Run | None:
    """The run that begins last at or before a number: if the number has a receipt among `runs`, it is there."""
    place = bisect_right(runs, sequence, key=lambda run: run.first)
    return runs[place - 1] if place else None
