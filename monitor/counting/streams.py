"""Runs of sequence numbers: what is awaited, what is missing, what came again. Core."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple

import numpy as np

from schemas.codec.packed import Marks, Numbers
from schemas.events import Event, UnitId
from schemas.topics import TOPIC_OF, Topic

MAX_SERIES: Final = 4_000
"""Of one unit and topic. A unit that begins a series every day needs ten years for as many; more is a flood of rows."""


class StreamKey(NamedTuple):
    """One run of sequence numbers."""

    unit_id: UnitId
    topic: Topic
    series: str


class Gap(NamedTuple):
    """Missing sequence numbers, `first` to `last`, both missing, and the business dates of the events around them, if known."""

    first: int
    last: int
    after: date | None = None
    before: date | None = None


class Run(NamedTuple):
    """Numbers that follow each other, and business dates: of the first, of the last, and the extremes of all."""

    first: int
    last: int
    first_date: date
    last_date: date
    oldest: date
    newest: date


@dataclass(slots=True)
class Stream:
    """What is known of one stream: the next number awaited, gaps before it, and counts since its beginning.

    `gaps` has those that the numbers of a batch touch, and no more: a stream may have any number of others. `last_date` is
    the business date of the greatest number; `oldest_date` and `newest_date` are those of all.
    """

    next_sequence: int = 1
    gaps: list[Gap] = field(default_factory=list)
    accepted: int = 0
    duplicates: int = 0
    skipped: int = 0
    filled: int = 0
    ahead: int = 0
    behind: int = 0
    last_date: date | None = None
    oldest_date: date | None = None
    newest_date: date | None = None

    def awaits(self, sequence: int) -> bool:
        """Whether `sequence` has never been seen: it is new, or it lies in a gap."""
        return sequence >= self.next_sequence or self._gap_around(sequence) is not None

    def awaited(self, numbers: Numbers) -> Marks:
        """Which of many numbers it awaits."""
        marks: Marks = numbers >= self.next_sequence
        if self.gaps:
            place = np.searchsorted(np.array([gap.first for gap in self.gaps]), numbers, "right") - 1
            marks |= (place >= 0) & (numbers <= np.array([gap.last for gap in self.gaps])[place])
        return marks

    def note(self, sequence: int, day: date) -> None:
        """Take in a number that was awaited: open a gap before it, or fill (part of) the gap that it lies in."""
        if sequence >= self.next_sequence:
            self.note_run(Run(sequence, sequence, day, day, day, day))
            return
        self._note_dates(day, day)
        position = self._gap_around(sequence)
        if position is None:
            raise ValueError(f"sequence {sequence} is not awaited")
        first, last, after, before = self.gaps[position]
        rest = [Gap(first, sequence - 1, after, day), Gap(sequence + 1, last, day, before)]
        self.gaps[position : position + 1] = [gap for gap in rest if gap.first <= gap.last]
        self.filled += 1

    def note_run(self, run: Run) -> None:
        """Take in numbers of which none was seen, nor any greater: open a gap before them, if they leave one."""
        self._note_dates(run.oldest, run.newest)
        if run.first > self.next_sequence:
            self.gaps.append(Gap(self.next_sequence, run.first - 1, self.last_date, run.first_date))
            self.skipped += run.first - self.next_sequence
        self.next_sequence = run.last + 1
        self.last_date = run.last_date

    def _note_dates(self, oldest: date, newest: date) -> None:
        self.oldest_date = oldest if self.oldest_date is None else min(self.oldest_date, oldest)
        self.newest_date = newest if self.newest_date is None else max(self.newest_date, newest)

    def _gap_around(self, sequence: int) -> int | None:
        position = bisect_right(self.gaps, sequence, key=lambda gap: gap.first) - 1
        return position if position >= 0 and sequence <= self.gaps[position].last else None


def stream_of(event: Event) -> StreamKey:
    """The stream that `event` is a member of."""
    return StreamKey(event.unit_id, TOPIC_OF[type(event)], event.series)


def ranges(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Numbers as ranges, first and last, in ascending order."""
    found: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found
