"""Sequence numbers of events in columns: which go forward in their stream, which come again, and what that does to it. Core.

A number goes forward if it is greater than all that its stream has seen. Such a number is new whatever else is in the batch,
so they may be counted first: a later number that is not greater finds the same gaps and receipts around it.
"""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from monitor.counting.event_columns import EventColumns, day_of
from monitor.counting.fold import Known, Touched
from monitor.counting.groups import Groups
from monitor.counting.receipt_hash import HASH_BYTES
from monitor.counting.receipts import ReceiptRun
from monitor.counting.streams import Run, StreamKey
from schemas.codec.packed import Marks, Numbers
from schemas.events import UnitId

_NEVER: Final = 2**62
"""No number is so great."""


@dataclass(frozen=True)
class StreamRows:
    """Events by the stream that they are members of."""

    events: EventColumns

    @cached_property
    def groups(self) -> Groups:
        return Groups([self.events.codes("unit_id").places, self.events.codes("series").places])

    @cached_property
    def keys(self) -> list[StreamKey]:
        """The stream of each group."""
        units, series = self.events.codes("unit_id"), self.events.codes("series")
        places = zip(units.places[self.groups.first].tolist(), series.places[self.groups.first].tolist(), strict=True)
        return [StreamKey(UnitId(units.codes[unit]), self.events.topic, series.codes[one]) for unit, one in places]

    def touched(self) -> Iterator[tuple[int, StreamKey, Touched]]:
        """Every stream, after the offset at which it first appears."""
        groups, numbers = self.groups, self.events.numbers("sequence")[self.groups.order]
        days = self.events.numbers("business_date")
        spans = zip(groups.begins.tolist(), groups.ends.tolist(), groups.least(days), groups.greatest(days), strict=True)
        offsets = self.events.offsets[groups.first].tolist()
        for offset, key, (begin, end, oldest, newest) in zip(offsets, self.keys, spans, strict=True):
            yield offset, key, Touched(numbers[begin:end], day_of(oldest), day_of(newest))

    def forward(self, known: Known, apart: Container[StreamKey]) -> Marks:
        """Which events have numbers that go forward; none of streams that have to be counted event by event.

        Those are the streams in `apart`, those of units that may send an event again in another series, and those that may
        not be counted.
        """
        nexts = np.array([_NEVER if key in apart else _awaited(key, known) for key in self.keys])
        stream = np.cumsum(self.groups.is_first) - 1
        numbers = self.events.numbers("sequence")[self.groups.order]
        new = np.flatnonzero(numbers >= nexts[stream])
        places = stream[new] * (int(numbers.max(initial=0)) + 1) + numbers[new]
        if not (places[1:] > places[:-1]).all():
            greatest = np.maximum.accumulate(places)
            new = new[np.append(True, places[1:] > greatest[:-1])]
        marks = np.zeros(len(self.events), bool)
        marks[self.groups.order[new]] = True
        return marks

    def again(self, known: Known) -> Marks:
        """Which events come again under the number that they were counted under; each is noted in its stream.

        A number that its stream does not await was counted, and what it was counted as does not change: the others of the
        batch make no difference to these events, nor do these to them.
        """
        marks = np.zeros(len(self.events), bool)
        numbers = self.events.numbers("sequence")
        receipts = known.hasher.of_texts(self.events.texts("event_id"))
        for key, begin, end in zip(self.keys, self.groups.begins.tolist(), self.groups.ends.tolist(), strict=True):
            if (stream := known.streams.get(key)) is None:
                continue
            rows = self.groups.order[begin:end]
            rows = rows[~stream.awaited(numbers[rows])]
            rows = rows[~known.receipts.differ(key, numbers[rows], receipts[rows])]
            stream.duplicates += len(rows)
            marks[rows] = True
        return marks

    def count(self, known: Known) -> None:
        """Count events that all go forward: their streams, and their receipts."""
        events, groups = self.events, self.groups
        order = groups.order
        numbers, days = events.numbers("sequence")[order], events.numbers("business_date")[order]
        off = (events.moments - events.numbers("event_time"))[order]
        hashes = known.hasher.of_texts(events.texts("event_id").take(order)).tobytes()
        begins = _runs(numbers, groups.is_first)
        ends = np.append(begins[1:], len(numbers))
        runs = zip(
            (np.cumsum(groups.is_first)[begins] - 1).tolist(),
            numbers[begins].tolist(),
            numbers[ends - 1].tolist(),
            days[begins].tolist(),
            days[ends - 1].tolist(),
            np.minimum.reduceat(days, begins).tolist(),
            np.maximum.reduceat(days, begins).tolist(),
            np.add.reduceat(off < 0, begins).tolist(),
            np.add.reduceat(off > 0, begins).tolist(),
            begins.tolist(),
            strict=True,
        )
        for place, first, last, first_day, last_day, oldest, newest, ahead, behind, begin in runs:
            key, stream = self.keys[place], known.streams[self.keys[place]]
            run = Run(first, last, day_of(first_day), day_of(last_day), day_of(oldest), day_of(newest))
            stream.note_run(run)
            stream.accepted += last - first + 1
            stream.ahead += ahead
            stream.behind += behind
            end = begin + last - first + 1
            found = hashes[begin * HASH_BYTES : end * HASH_BYTES]
            known.receipts.add_run(ReceiptRun(key, first, run.oldest, run.newest, found))


def _runs(numbers: Numbers, is_first: Marks) -> Numbers:
    """Where numbers begin that do not follow the one before them, or are of another stream."""
    begins = is_first.copy()
    begins[1:] |= numbers[1:] != numbers[:-1] + 1
    return np.flatnonzero(begins)


def _awaited(key: StreamKey, known: Known) -> int:
    stream = known.streams.get(key)
    return _NEVER if stream is None or known.other_series.watches(key) else stream.next_sequence
