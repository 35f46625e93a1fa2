"""An independent reading of events (plain sums), and a ledger in memory that merges what `fold` returns."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from monitor.counting.changes import Changes
from monitor.counting.feeds import Feed
from monitor.counting.fold import Known, fold
from monitor.counting.kept import columns_of, merge
from monitor.counting.receipt_hash import KEY_BYTES, ReceiptHasher
from monitor.counting.receipts import OtherSeries, ReceiptRun, Receipts
from monitor.counting.streams import Stream, StreamKey, stream_of
from schemas.events import CdaDocuments, Event, RealtimeForms
from schemas.kinds.kind import Added
from schemas.topics import KINDS, TOPIC_OF, Topic
from tests.factories import RECEIVED, make_arrivals

MEASURES = ("outpatient_visits", "discharges", "outpatient_revenue_cents", "inpatient_revenue_cents")


DAY = date(2024, 9, 9)


HASHER = ReceiptHasher(bytes(range(KEY_BYTES)))


def hashed(event_id: str) -> bytes:
    """The receipt of an id."""
    return HASHER.of_ids([event_id])[0]


class Sums:
    """What every event, counted once, adds up to."""

    def __init__(self) -> None:
        self.uploads: dict[Any, dict[str, int | None]] = {}
        self.forms: dict[Any, dict[str, int | None]] = {}
        self.declarations: set[str] = set()
        self.health_records: dict[Any, Any] = {}
        self.ids: dict[tuple[str, Topic], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        self.accepted_numbers: Counter[StreamKey] = Counter()
        self.seen: dict[StreamKey, set[int]] = defaultdict(set)

    def add(self, event: Event) -> None:
        key = stream_of(event)
        if event.sequence in self.seen[key]:
            return
        self.seen[key].add(event.sequence)
        by_series = self.ids[key.unit_id, key.topic]
        again = any(event.event_id in ids for series, ids in by_series.items() if series != key.series)
        by_series[key.series].add(event.event_id)
        if not again:
            self.accepted_numbers[key] += 1
            self._add(event)

    def _add(self, event: Event) -> None:
        if isinstance(event, CdaDocuments):
            place: Any = (event.unit_id, event.table_code, event.business_date)
            sums = self.uploads.setdefault(place, dict.fromkeys(MEASURES) | {"events": 0, "records": 0})
            sums["events"] = plus(sums["events"], 1)
            sums["records"] = plus(sums["records"], event.record_count)
            for name in MEASURES:
                sums[name] = plus(sums[name], getattr(event, name))
        elif isinstance(event, RealtimeForms):
            place = (event.unit_id, event.form_code, event.business_date)
            forms = self.forms.setdefault(place, {"events": 0, "records": 0})
            forms["events"] = plus(forms["events"], 1)
            forms["records"] = plus(forms["records"], event.record_count)
        elif TOPIC_OF[type(event)] is Topic.DECLARATIONS:
            self.declarations.add(event.event_id)

    def missing(self) -> dict[StreamKey, set[int]]:
        """The numbers below the greatest that never came."""
        return {key: set(range(1, max(seen))) - seen for key, seen in self.seen.items()}

    def accepted(self) -> dict[StreamKey, int]:
        return {key: self.accepted_numbers[key] for key in self.seen}


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
    """Merges the changes of batch after batch, as the ledger does with SQL. Its receipts are the ids themselves."""

    def __init__(self) -> None:
        self.streams: dict[StreamKey, Stream] = defaultdict(Stream)
        self.receipts: dict[tuple[StreamKey, int], str] = {}
        self.kept: dict[Topic, dict[Any, Any]] = {topic: {} for topic in KINDS}
        self.marks: dict[Any, tuple[datetime, datetime, Any]] = {}
        self.hours: set[int] = set()
        self.greatest_event_at: datetime | None = None
        self.conflicts: list[int] = []
        self.conflicting: list[Event] = []

    def append(self, events: Sequence[Event], received_at: datetime = RECEIVED) -> Changes:
        arrivals = make_arrivals(events, received_at=received_at)
        known = Known({stream_of(event): self.streams[stream_of(event)] for event in events}, HASHER)
        known.receipts = Receipts(ReceiptRun(key, n, DAY, DAY, hashed(name)) for (key, n), name in self.receipts.items())
        known.other_series = OtherSeries({(key.unit_id, key.topic): {} for key in self.streams})
        for (key, _), name in self.receipts.items():
            known.other_series.add(key, [hashed(name)])
        changes = fold(arrivals, known)
        for topic, rows in changes.kept.items():
            for row, values in rows.items():
                before = self.kept[topic].get(row)
                self.kept[topic][row] = values if before is None else merge(topic, before, values)
        self._merge_marks(changes)
        self.hours |= changes.hours
        refused = [offset for offset, _ in changes.refused]
        self.conflicts += refused
        self.conflicting += [arrivals[offset].event for offset in refused]
        names = {hashed(event.event_id): event.event_id for event in events}
        for run in known.receipts.added():
            for number in range(run.first, run.last + 1):
                assert (run.stream, number) not in self.receipts, "a number is counted once"
                self.receipts[run.stream, number] = names[run.hash_of(number) or b""]
        return changes

    @property
    def uploads(self) -> dict[Any, dict[str, int | None]]:
        return self.sums(Topic.CDA_DOCUMENTS)

    @property
    def forms(self) -> dict[Any, dict[str, int | None]]:
        return self.sums(Topic.REALTIME_FORMS)

    def sums(self, topic: Topic) -> dict[Any, dict[str, int | None]]:
        assert isinstance(KINDS[topic].kept, Added)
        names = columns_of(KINDS[topic]).values
        return {key: dict(zip(names, values, strict=True)) for key, values in self.kept[topic].items()}

    @property
    def declarations(self) -> set[str]:
        return {event_id for _, _, event_id in self.kept[Topic.DECLARATIONS]}

    def _merge_marks(self, changes: Changes) -> None:
        for owner, mark in changes.progress.items():
            new = (mark.first_event_at, mark.last_event_at, mark.last_business_date)
            first, last, day = self.marks.get(owner, new)
            self.marks[owner] = (min(first, new[0]), max(last, new[1]), max(day, new[2]))
        moments = [moment for moment in (self.greatest_event_at, changes.greatest_event_at) if moment]
        self.greatest_event_at = max(moments, default=None)

    def missing(self) -> dict[StreamKey, set[int]]:
        return {
            key: {number for first, last, *_ in stream.gaps for number in range(first, last + 1)}
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
