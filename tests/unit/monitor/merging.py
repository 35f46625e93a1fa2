"""An independent reading of events (plain sums), and a ledger in memory that merges what `fold` returns."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, NamedTuple

from monitor.feeds import Feed
from monitor.fold import Changes, Stream, StreamKey, UploadSums, fold, resent, stream_of
from schemas.events import CdaDocuments, Declaration, Event, HealthRecords, RealtimeForms
from tests.factories import RECEIVED, make_arrivals

MEASURES = ("outpatient_visits", "discharges", "outpatient_revenue_cents", "inpatient_revenue_cents")


class Sums:
    """What every event, counted once, adds up to."""

    def __init__(self) -> None:
        self.uploads: dict[Any, dict[str, int | None]] = {}
        self.forms: dict[Any, tuple[int, int]] = {}
        self.declarations: set[Declaration] = set()
        self.health_records: set[HealthRecords] = set()
        self.seen: dict[StreamKey, set[int]] = defaultdict(set)

    def add(self, event: Event) -> None:
        key = stream_of(event)
        if event.sequence in self.seen[key]:
            return
        self.seen[key].add(event.sequence)
        if isinstance(event, CdaDocuments):
            sums = self.uploads.setdefault(
                (event.unit_id, event.table_code, event.business_date), dict.fromkeys(MEASURES) | {"events": 0, "records": 0}
            )
            sums["events"] = plus(sums["events"], 1)
            sums["records"] = plus(sums["records"], event.record_count)
            for name in MEASURES:
                sums[name] = plus(sums[name], getattr(event, name))
        elif isinstance(event, RealtimeForms):
            place = (event.unit_id, event.form_code, event.business_date)
            events, records = self.forms.get(place, (0, 0))
            self.forms[place] = (events + 1, records + event.record_count)
        elif isinstance(event, Declaration):
            self.declarations.add(event)
        else:
            self.health_records.add(event)

    def missing(self) -> dict[StreamKey, set[int]]:
        """The numbers below the greatest that never came."""
        return {key: set(range(1, max(seen))) - seen for key, seen in self.seen.items()}

    def accepted(self) -> dict[StreamKey, int]:
        return {key: len(seen) for key, seen in self.seen.items()}


def sums_of(events: Iterable[Event]) -> Sums:
    sums = Sums()
    for event in events:
        sums.add(event)
    return sums


class Books(NamedTuple):
    """The counters of one stream. `skipped`: numbers that were missing when a greater one came; `filled`: of them, came later."""

    accepted: int
    duplicates: int
    conflicts: int
    skipped: int
    filled: int


def books_of(history: Iterable[Event]) -> dict[StreamKey, Books]:
    """What a reader who remembers everything counts, number by number."""
    ids: dict[StreamKey, dict[int, str]] = defaultdict(dict)
    books: dict[StreamKey, Books] = defaultdict(lambda: Books(0, 0, 0, 0, 0))
    for event in history:
        key = stream_of(event)
        known, so_far = ids[key], books[key]
        if event.sequence in known:
            same = known[event.sequence] == event.event_id
            books[key] = so_far._replace(duplicates=so_far.duplicates + same, conflicts=so_far.conflicts + (not same))
            continue
        newest = max(known, default=0)
        books[key] = so_far._replace(
            accepted=so_far.accepted + 1,
            skipped=so_far.skipped + len(range(newest + 1, event.sequence)),
            filled=so_far.filled + (event.sequence < newest),
        )
        known[event.sequence] = event.event_id
    return dict(books)


def plus(left: int | None, right: int | None) -> int | None:
    return left if right is None else right + (left or 0)


class MemoryLedger:
    """Merges the changes of batch after batch, as the ledger does with SQL."""

    def __init__(self) -> None:
        self.streams: dict[StreamKey, Stream] = defaultdict(Stream)
        self.receipts: dict[tuple[StreamKey, int], str] = {}
        self.uploads: dict[Any, dict[str, int | None]] = {}
        self.forms: dict[Any, tuple[int, int]] = {}
        self.declarations: set[Declaration] = set()
        self.health_records: set[HealthRecords] = set()
        self.marks: dict[Any, tuple[datetime, datetime, Any]] = {}
        self.hours: set[int] = set()
        self.greatest_event_at: datetime | None = None
        self.conflicts: list[int] = []
        self.conflicting: list[Event] = []

    def append(self, events: Sequence[Event], received_at: datetime = RECEIVED) -> Changes:
        arrivals = make_arrivals(events, received_at=received_at)
        streams = {stream_of(event): self.streams[stream_of(event)] for event in events}
        counted = {number: self.receipts[number] for number in resent(arrivals, streams)}
        changes = fold(arrivals, streams, counted)
        self._merge_sums(changes)
        self._merge_marks(changes)
        self.declarations |= set(changes.declarations)
        self.health_records |= set(changes.health_records)
        self.hours |= changes.hours
        self.conflicts += changes.conflicts
        self.conflicting += [arrivals[offset].event for offset in changes.conflicts]
        for receipt in changes.receipts:
            assert (receipt.stream, receipt.sequence) not in self.receipts, "a number is counted once"
            self.receipts[receipt.stream, receipt.sequence] = receipt.event_id
        return changes

    def _merge_sums(self, changes: Changes) -> None:
        for key, sums in changes.uploads.items():
            so_far = self.uploads.setdefault(key, {item.name: None for item in fields(UploadSums)})
            for name in so_far:
                so_far[name] = plus(so_far[name], getattr(sums, name))
        for place, form in changes.forms.items():
            events, records = self.forms.get(place, (0, 0))
            self.forms[place] = (events + form.events, records + form.records)

    def _merge_marks(self, changes: Changes) -> None:
        for owner, mark in changes.marks.items():
            new = (mark.first_event_at, mark.last_event_at, mark.last_business_date)
            first, last, day = self.marks.get(owner, new)
            self.marks[owner] = (min(first, new[0]), max(last, new[1]), max(day, new[2]))
        moments = [moment for moment in (self.greatest_event_at, changes.greatest_event_at) if moment]
        self.greatest_event_at = max(moments, default=None)

    def missing(self) -> dict[StreamKey, set[int]]:
        return {
            key: {number for first, last in stream.gaps for number in range(first, last + 1)}
            for key, stream in self.streams.items()
        }

    def accepted(self) -> dict[StreamKey, int]:
        return {key: stream.accepted for key, stream in self.streams.items()}

    def books(self) -> dict[StreamKey, Books]:
        conflicts = Counter(map(stream_of, self.conflicting))
        return {
            key: Books(stream.accepted, stream.duplicates, conflicts[key], stream.skipped, stream.filled)
            for key, stream in self.streams.items()
        }

    def mark(self, unit_id: str, feed: Feed) -> tuple[datetime, datetime, Any]:
        return self.marks[unit_id, feed]
