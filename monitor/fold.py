"""Fold a batch of decoded events into the changes that it makes to the ledger. Core: values in, values out.

Invariant: however the events of a stream are split into batches, the sum of all changes is the same, and an event that
comes again (same stream, same sequence, same event id) adds nothing but one to `duplicates`.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from monitor.feeds import FEED_OF_TOPIC, Feed
from schemas.clock import local_date, start_of_day
from schemas.codec import TOPIC_OF
from schemas.events import CdaDocuments, Declaration, Event, FormCode, HealthRecords, RealtimeForms, TableCode, UnitId
from schemas.topics import Topic

CLOCK_TOLERANCE: Final = timedelta(minutes=5)
"""How far a unit's clock may run ahead of ours before its event times stop moving the platform clock."""


class StreamKey(NamedTuple):
    """One run of sequence numbers."""

    unit_id: UnitId
    topic: Topic
    series: str


class Gap(NamedTuple):
    """Missing sequence numbers, `first` to `last`, both missing."""

    first: int
    last: int


@dataclass(slots=True)
class Stream:
    """What is known of one stream: the next number awaited, the holes before it, and counts since its beginning."""

    next_sequence: int = 1
    gaps: list[Gap] = field(default_factory=list)
    accepted: int = 0
    duplicates: int = 0
    skipped: int = 0
    filled: int = 0
    ahead: int = 0
    behind: int = 0

    def awaits(self, sequence: int) -> bool:
        """Whether `sequence` has never been seen: it is new, or it lies in a hole."""
        return sequence >= self.next_sequence or self._gap_around(sequence) is not None

    def note(self, sequence: int) -> None:
        """Count a number that was awaited: open a hole before it, or fill (part of) the hole that it lies in."""
        self.accepted += 1
        if sequence >= self.next_sequence:
            if sequence > self.next_sequence:
                self.gaps.append(Gap(self.next_sequence, sequence - 1))
                self.skipped += sequence - self.next_sequence
            self.next_sequence = sequence + 1
            return
        position = self._gap_around(sequence)
        if position is None:
            raise ValueError(f"sequence {sequence} is not awaited")
        first, last = self.gaps[position]
        rest = [Gap(first, sequence - 1), Gap(sequence + 1, last)]
        self.gaps[position : position + 1] = [gap for gap in rest if gap.first <= gap.last]
        self.filled += 1

    def _gap_around(self, sequence: int) -> int | None:
        position = bisect_right(self.gaps, sequence, key=lambda gap: gap.first) - 1
        return position if position >= 0 and sequence <= self.gaps[position].last else None


@dataclass(slots=True)
class UploadSums:
    """What one unit uploaded of one table for one business date. A measure is None until an event carries it."""

    events: int = 0
    records: int = 0
    outpatient_visits: int | None = None
    discharges: int | None = None
    outpatient_revenue_cents: int | None = None
    inpatient_revenue_cents: int | None = None

    def add(self, event: CdaDocuments) -> None:
        """Add one upload."""
        self.events += 1
        self.records += event.record_count
        self.outpatient_visits = _plus(self.outpatient_visits, event.outpatient_visits)
        self.discharges = _plus(self.discharges, event.discharges)
        self.outpatient_revenue_cents = _plus(self.outpatient_revenue_cents, event.outpatient_revenue_cents)
        self.inpatient_revenue_cents = _plus(self.inpatient_revenue_cents, event.inpatient_revenue_cents)


@dataclass(slots=True)
class FormSums:
    """What one unit sent of one realtime form for one business date."""

    events: int = 0
    records: int = 0


@dataclass(slots=True)
class FeedMark:
    """How far a unit's feed has come: first and latest event (never later than their receipt) and newest business date."""

    first_event_at: datetime
    last_event_at: datetime
    last_business_date: date

    def extend(self, moment: datetime, day: date) -> None:
        """Take in one more event."""
        self.first_event_at = min(self.first_event_at, moment)
        self.last_event_at = max(self.last_event_at, moment)
        self.last_business_date = max(self.last_business_date, day)


class Arrival(NamedTuple):
    """A decoded event, the offset it stood at, and when it was received (aware)."""

    offset: int
    event: Event
    received_at: datetime


class Receipt(NamedTuple):
    """Proof that a sequence number was counted, and as which event."""

    stream: StreamKey
    sequence: int
    event_id: str
    business_date: date


@dataclass(slots=True)
class Changes:
    """What a batch changes. `conflicts` holds the offsets of events whose sequence number another event has already."""

    streams: dict[StreamKey, Stream]
    uploads: dict[tuple[UnitId, TableCode, date], UploadSums] = field(default_factory=dict)
    forms: dict[tuple[UnitId, FormCode, date], FormSums] = field(default_factory=dict)
    declarations: list[Declaration] = field(default_factory=list)
    health_records: list[HealthRecords] = field(default_factory=list)
    marks: dict[tuple[UnitId, Feed], FeedMark] = field(default_factory=dict)
    receipts: list[Receipt] = field(default_factory=list)
    conflicts: list[int] = field(default_factory=list)
    hours: set[int] = field(default_factory=set)
    greatest_event_at: datetime | None = None


def stream_of(event: Event) -> StreamKey:
    """The stream that `event` is a member of."""
    return StreamKey(event.unit_id, TOPIC_OF[type(event)], event.series)


def resent(arrivals: Sequence[Arrival], streams: Mapping[StreamKey, Stream]) -> set[tuple[StreamKey, int]]:
    """The numbers in `arrivals` that were counted before this batch: their receipts decide duplicate or conflict."""
    found = set()
    for _, event, _ in arrivals:
        key = stream_of(event)
        if not streams[key].awaits(event.sequence):
            found.add((key, event.sequence))
    return found


def fold(
    arrivals: Sequence[Arrival],
    streams: dict[StreamKey, Stream],
    counted: Mapping[tuple[StreamKey, int], str],
) -> Changes:
    """The changes that `arrivals`, in offset order, make.

    `streams` holds every stream of the batch and is carried forward in place; `counted` maps the numbers that `resent`
    named to the event ids that they were counted as.
    """
    changes = Changes(streams)
    here: dict[tuple[StreamKey, int], str] = {}
    for offset, event, received_at in arrivals:
        key = stream_of(event)
        stream = streams[key]
        if not stream.awaits(event.sequence):
            known_as = here.get((key, event.sequence)) or counted.get((key, event.sequence))
            if known_as is None or known_as == event.event_id:
                stream.duplicates += 1
            else:
                changes.conflicts.append(offset)
            continue
        stream.note(event.sequence)
        here[key, event.sequence] = event.event_id
        _take(event, key, changes, received_at)
    return changes


def _take(event: Event, key: StreamKey, changes: Changes, received_at: datetime) -> None:
    """Add one event that has not been counted before."""
    stream, moment = changes.streams[key], _moment(event, received_at)
    stream.ahead += moment < event.event_time
    stream.behind += moment > event.event_time
    if moment >= event.event_time:
        changes.hours.add(int(moment.timestamp()) // 3600)
        if changes.greatest_event_at is None or moment > changes.greatest_event_at:
            changes.greatest_event_at = moment
    if isinstance(event, CdaDocuments):
        changes.uploads.setdefault((event.unit_id, event.table_code, event.business_date), UploadSums()).add(event)
        _mark(event, FEED_OF_TOPIC[key.topic], moment, changes)
        day = event.business_date
    elif isinstance(event, RealtimeForms):
        sums = changes.forms.setdefault((event.unit_id, event.form_code, event.business_date), FormSums())
        sums.events += 1
        sums.records += event.record_count
        _mark(event, FEED_OF_TOPIC[key.topic], moment, changes)
        day = event.business_date
    elif isinstance(event, HealthRecords):
        changes.health_records.append(replace(event, event_time=moment))  # the later one counts: none is later than now
        day = event.business_date
    else:
        changes.declarations.append(replace(event, event_time=moment))
        day = local_date(moment)
    changes.receipts.append(Receipt(key, event.sequence, event.event_id, day))


def _moment(event: Event, received_at: datetime) -> datetime:
    """When the event happened, as far as a unit's clock can be believed: not after its receipt, nor before its business date."""
    if event.event_time > received_at + CLOCK_TOLERANCE:
        return received_at
    if isinstance(event, Declaration):
        return event.event_time
    return max(event.event_time, start_of_day(event.business_date))


def _mark(event: CdaDocuments | RealtimeForms, feed: Feed, moment: datetime, changes: Changes) -> None:
    day = min(event.business_date, local_date(moment))
    mark = changes.marks.get((event.unit_id, feed))
    if mark is None:
        changes.marks[event.unit_id, feed] = FeedMark(moment, moment, day)
    else:
        mark.extend(moment, day)


def _plus(sum_so_far: int | None, value: int | None) -> int | None:
    if value is None:
        return sum_so_far
    return value if sum_so_far is None else sum_so_far + value
