from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.counting.event_clock import CLOCK_TOLERANCE
from monitor.counting.feeds import Feed
from monitor.counting.fold import Known, fold, old_numbers, touched
from monitor.counting.streams import Gap, Stream, StreamKey, stream_of
from schemas.events import Event
from schemas.topics import Topic
from tests.factories import (
    FORM,
    NOON,
    RECEIVED,
    TABLE,
    UNIT,
    make_arrivals,
    make_declaration,
    make_event,
    make_forms,
    make_health_records,
)
from tests.unit.monitor.merging import HASHER, MemoryLedger, books_of, hashed, sums_of
from tests.unit.monitor.scripts import cuttings, deliveries, histories, sent_events

KEY = StreamKey(UNIT, Topic.CDA_DOCUMENTS, "")
DAY = date(2024, 9, 9)


def folded(*events: Event) -> MemoryLedger:
    """Everything in one batch."""
    ledger = MemoryLedger()
    ledger.append(events)
    return ledger


def stream_after(sequences: Sequence[int]) -> Stream:
    stream = Stream()
    for sequence in sequences:
        stream.note(sequence, DAY)
    return stream


@given(st.data())
def test_however_events_are_ordered_repeated_and_split_the_sums_are_the_same(data: st.DataObject) -> None:
    events = data.draw(sent_events())
    batches = data.draw(deliveries(events))
    ledger = MemoryLedger()
    for batch in batches:
        ledger.append(batch)
    expected = sums_of(events)
    assert ledger.uploads == expected.uploads
    assert ledger.forms == expected.forms
    assert ledger.declarations == expected.declarations
    assert ledger.accepted() == expected.accepted()
    assert ledger.missing() == expected.missing()
    assert ledger.conflicts == []
    delivered = sum(len(batch) for batch in batches)
    assert sum(stream.duplicates for stream in ledger.streams.values()) == delivered - len(events)


@given(st.data())
def test_marks_and_clock_do_not_depend_on_batches_either(data: st.DataObject) -> None:
    events = data.draw(sent_events())
    split = MemoryLedger()
    for batch in data.draw(deliveries(events)):
        split.append(batch)
    whole = folded(*events)
    assert (split.marks, split.hours, split.greatest_event_at) == (whole.marks, whole.hours, whole.greatest_event_at)


@given(st.data())
def test_wherever_a_history_is_cut_into_batches_the_ledger_is_the_same(data: st.DataObject) -> None:
    history = data.draw(histories(data.draw(sent_events(ahead=10))))
    whole, one_by_one, cut = MemoryLedger(), MemoryLedger(), MemoryLedger()
    whole.append(history)
    for event in history:
        one_by_one.append([event])
    for batch in data.draw(cuttings(history)):
        cut.append(batch)
    assert everything(one_by_one) == everything(whole)
    assert everything(cut) == everything(whole)
    assert whole.books() == books_of(history)


def everything(ledger: MemoryLedger) -> dict[str, object]:
    """All that a ledger holds; where a conflict stood in its batch is a matter of the batch."""
    return {name: value for name, value in vars(ledger).items() if name != "conflicts"}


@given(st.data())
def test_every_counter_is_that_of_a_reader_who_remembers_everything(data: st.DataObject) -> None:
    history = data.draw(histories(data.draw(sent_events(kinds=("documents",), most=20))))
    ledger = MemoryLedger()
    for batch in data.draw(cuttings(history)):
        ledger.append(batch)
        assert all(stream.skipped - stream.filled == len(ledger.missing()[key]) for key, stream in ledger.streams.items())
    assert ledger.books() == books_of(history)


@given(st.data())
def test_however_streams_are_interleaved_each_is_counted_as_if_it_were_alone(data: st.DataObject) -> None:
    history = data.draw(histories(data.draw(sent_events())))
    together = MemoryLedger()
    for batch in data.draw(cuttings(history)):
        together.append(batch)
    for key in together.streams:
        alone = folded(*(event for event in history if stream_of(event) == key))
        assert together.streams[key] == alone.streams[key]


@given(st.lists(st.integers(1, 30), unique=True, min_size=1))
def test_the_books_of_a_stream_balance(sequences: list[int]) -> None:
    stream = stream_after(sequences)
    missing = [number for gap in stream.gaps for number in range(gap.first, gap.last + 1)]
    assert missing == [number for number in range(1, max(sequences)) if number not in sequences]
    assert stream.skipped - stream.filled == len(missing)
    assert stream.next_sequence == max(sequences) + 1
    assert all(gap.last + 1 < following.first for gap, following in zip(stream.gaps, stream.gaps[1:], strict=False))
    for number in range(1, 33):
        assert stream.awaits(number) == (number not in sequences)


@pytest.mark.parametrize(
    ("sequences", "gaps"),
    [
        ([1, 2, 3], []),
        ([1, 5], [Gap(2, 4)]),
        ([5], [Gap(1, 4)]),
        ([1, 5, 3], [Gap(2, 2), Gap(4, 4)]),
        ([1, 5, 2], [Gap(3, 4)]),
        ([1, 5, 4], [Gap(2, 3)]),
        ([1, 5, 2, 3, 4], []),
        ([1, 3, 6], [Gap(2, 2), Gap(4, 5)]),
        ([1, 3, 6, 2], [Gap(4, 5)]),
        ([1, 3, 6, 5], [Gap(2, 2), Gap(4, 4)]),
    ],
)
def test_a_gap_is_opened_split_shrunk_and_filled(sequences: list[int], gaps: list[Gap]) -> None:
    assert [(gap.first, gap.last) for gap in stream_after(sequences).gaps] == [(gap.first, gap.last) for gap in gaps]


@pytest.mark.parametrize("sequence", [1, 3])
def test_a_number_that_is_not_awaited_is_not_noted(sequence: int) -> None:
    with pytest.raises(ValueError, match=f"sequence {sequence} is not awaited"):
        stream_after([1, 3]).note(sequence, DAY)


def test_an_event_that_comes_again_adds_one_to_duplicates_and_nothing_else() -> None:
    event = make_event(outpatient_visits=5)
    once = folded(event)
    for again in (folded(event, event), folded(event)):
        again.append([event])
        assert again.uploads == once.uploads
        assert again.receipts == once.receipts
        assert again.streams[KEY].accepted == 1
    assert folded(event, event, event).streams[KEY].duplicates == 2


def test_the_same_number_of_another_series_topic_or_unit_is_another_event() -> None:
    ledger = folded(make_event(), make_event(series="b", event_id="b"), make_forms(), make_event(unit_id="qinhuai"))
    assert set(ledger.accepted().values()) == {1}
    assert len(ledger.streams) == 4
    assert all(stream.duplicates == 0 for stream in ledger.streams.values())


@pytest.mark.parametrize("split", [True, False], ids=["in two batches", "in one batch"])
def test_another_event_with_a_counted_number_is_a_conflict_and_adds_nothing(split: bool) -> None:
    first, other = make_event(event_id="a", record_count=1), make_event(event_id="b", record_count=100)
    ledger = MemoryLedger()
    if split:
        ledger.append([first])
        ledger.append([other])
        assert ledger.conflicts == [0]
    else:
        ledger.append([first, other])
        assert ledger.conflicts == [1]
    assert ledger.uploads[UNIT, TABLE, DAY]["records"] == 1
    assert (ledger.streams[KEY].accepted, ledger.streams[KEY].duplicates) == (1, 0)
    assert ledger.receipts == {(KEY, 1): "a"}


def test_a_number_whose_receipt_is_gone_is_taken_for_a_duplicate() -> None:
    streams = {KEY: stream_after([1])}
    changes = fold(make_arrivals([make_event(event_id="another")]), Known(streams, HASHER))
    assert (changes.refused, streams[KEY].duplicates) == ([], 1)


def test_a_conflict_does_not_move_the_clock_or_the_feed() -> None:
    ledger = folded(make_event(event_id="a"))
    before = dict(ledger.marks)
    changes = ledger.append([make_event(event_id="b", event_time=NOON + timedelta(minutes=4))])
    assert changes.greatest_event_at is None
    assert changes.hours == set()
    assert ledger.marks == before


def test_a_duplicate_does_not_move_the_clock_or_the_feed() -> None:
    ledger = folded(make_event(event_time=NOON - timedelta(days=1)))
    changes = ledger.append([make_event(event_time=NOON)])
    assert (changes.greatest_event_at, changes.progress, changes.hours) == (None, {}, set())


def test_only_numbers_that_were_counted_before_the_batch_are_looked_up() -> None:
    streams = {KEY: stream_after([1, 4])}
    arrivals = make_arrivals([make_event(sequence=number) for number in (1, 2, 4, 5, 5)])
    assert old_numbers(streams, touched(arrivals)) == {KEY: [1, 2, 4]}


def test_a_measure_is_none_until_an_event_carries_it() -> None:
    days = [DAY, date(2024, 9, 8), date(2024, 9, 7)]
    ledger = folded(
        make_event(sequence=1, business_date=days[0]),
        make_event(sequence=2, business_date=days[1]),
        make_event(sequence=3, business_date=days[1], outpatient_visits=0),
        make_event(sequence=4, business_date=days[2], outpatient_visits=4),
        make_event(sequence=5, business_date=days[2], outpatient_visits=None),
        make_event(sequence=6, business_date=days[2], outpatient_visits=3),
    )
    assert [ledger.uploads[UNIT, TABLE, day]["outpatient_visits"] for day in days] == [None, 0, 7]
    assert [ledger.uploads[UNIT, TABLE, day]["discharges"] for day in days] == [None, None, None]


def test_an_upload_of_nothing_is_an_event_all_the_same() -> None:
    changes = folded(make_event(record_count=0)).append([make_event(sequence=2, record_count=0)])
    assert changes.kept == {Topic.CDA_DOCUMENTS: {(UNIT, TABLE, DAY): (1, 0, None, None, None, None)}}
    assert (UNIT, Feed.SCHEDULED) in changes.progress


def test_every_order_of_three_uploads_gives_the_same_marks() -> None:
    events = [make_event(sequence=n, event_time=NOON - timedelta(hours=n), business_date=date(2024, 9, 5 + n)) for n in (1, 2, 3)]
    expected = (NOON - timedelta(hours=3), NOON - timedelta(hours=1), date(2024, 9, 8))
    for order in permutations(events):
        ledger = MemoryLedger()
        for event in order:
            ledger.append([event])
        assert ledger.mark(UNIT, Feed.SCHEDULED) == expected


def test_declarations_and_snapshots_belong_to_no_feed_but_move_the_clock() -> None:
    for event in (make_declaration(), make_health_records()):
        changes = MemoryLedger().append([event])
        assert changes.progress == {}
        assert changes.greatest_event_at == NOON


def test_a_clock_within_the_tolerance_moves_the_platform_clock() -> None:
    moment = RECEIVED + CLOCK_TOLERANCE
    ledger = MemoryLedger()
    changes = ledger.append([make_event(event_time=moment)])
    assert changes.greatest_event_at == moment
    assert ledger.streams[KEY].ahead == 0


def test_a_clock_that_runs_ahead_does_not_move_the_platform_clock() -> None:
    moment = RECEIVED + CLOCK_TOLERANCE + timedelta(milliseconds=1)
    ledger = folded(make_event(event_time=NOON))
    changes = ledger.append([make_event(sequence=2, event_time=moment), make_forms(event_time=NOON + timedelta(days=400))])
    assert changes.greatest_event_at is None
    assert changes.hours == set()
    assert ledger.streams[KEY].ahead == 1
    assert ledger.accepted() == {KEY: 2, stream_of(make_forms()): 1}, "it is counted all the same"


def test_a_clock_that_runs_ahead_does_not_postpone_its_own_deadline() -> None:
    far = NOON + timedelta(days=400)
    changes = MemoryLedger().append([make_event(event_time=far, business_date=far.date()), make_forms(event_time=far)])
    scheduled = changes.progress[UNIT, Feed.SCHEDULED]
    assert scheduled.last_event_at == RECEIVED
    assert scheduled.last_business_date == date(2024, 9, 10)
    assert changes.progress[UNIT, Feed.REALTIME].last_event_at == RECEIVED


def test_a_declaration_or_snapshot_dated_ahead_is_dated_by_its_receipt() -> None:
    far = NOON + timedelta(days=400)
    changes = MemoryLedger().append([make_declaration(event_time=far), make_health_records(event_time=far)])
    assert [moment for _, moment, _ in changes.kept[Topic.DECLARATIONS]] == [RECEIVED]
    assert [moment for moment, *_ in changes.kept[Topic.HEALTH_RECORDS].values()] == [RECEIVED]


@pytest.mark.parametrize("behind", [timedelta(days=2), timedelta(days=20 * 365)])
def test_a_clock_that_runs_behind_its_business_date_is_counted_and_dated_by_the_beginning_of_that_day(behind: timedelta) -> None:
    ledger = MemoryLedger()
    day, begins = date(2024, 9, 10), datetime(2024, 9, 9, 16, 0, tzinfo=UTC)  # in Shanghai
    changes = ledger.append([make_event(event_time=NOON - behind, business_date=day)])
    assert ledger.mark(UNIT, Feed.SCHEDULED) == (begins, begins, day)
    assert changes.greatest_event_at == begins, "it cannot have been earlier, so it moves the platform clock that far"
    assert (ledger.streams[KEY].behind, ledger.streams[KEY].ahead) == (1, 0)
    assert ledger.uploads[UNIT, TABLE, day]["events"] == 1


def test_an_event_of_its_business_date_is_behind_nothing() -> None:
    ledger = folded(make_event(event_time=datetime(2024, 9, 8, 16, 0, tzinfo=UTC), business_date=DAY), make_declaration())
    assert ledger.streams[KEY].behind == 0


def test_each_event_is_held_against_its_own_receipt() -> None:
    late = NOON + timedelta(days=1)
    arrivals = [*make_arrivals([make_event(event_time=late)]), *make_arrivals([make_event(sequence=2, event_time=late)], 1, late)]
    streams = {KEY: Stream()}
    changes = fold(arrivals, Known(streams, HASHER))
    assert streams[KEY].ahead == 1
    assert changes.greatest_event_at == late


def test_an_hour_counts_as_active_when_any_event_falls_into_it() -> None:
    moment = NOON.replace(minute=59, second=59)
    changes = MemoryLedger().append([make_event(event_time=moment - timedelta(hours=2)), make_forms(event_time=moment)], moment)
    hour = int(NOON.timestamp()) // 3600
    assert changes.hours == {hour - 2, hour}


def test_a_receipt_is_dated_by_the_business_date_or_the_local_day() -> None:
    late = NOON.replace(hour=20)  # 04:00 of the next day in Shanghai
    events: list[Event] = [make_event(business_date=DAY), make_declaration(event_time=late)]
    known = Known({stream_of(event): Stream() for event in events}, HASHER)
    fold(make_arrivals(events, received_at=late), known)
    found = [(run.oldest, run.newest, run.hashes) for run in known.receipts.added()]
    assert found == [(DAY, DAY, hashed("documents-1")), (date(2024, 9, 11),) * 2 + (hashed("declaration-1"),)]


def test_forms_add_up_per_form_and_day() -> None:
    ledger = folded(make_forms(record_count=3), make_forms(sequence=2, record_count=0), make_forms(sequence=3, form_code="RT01"))
    assert ledger.kept[Topic.REALTIME_FORMS] == {
        (UNIT, FORM, date(2024, 9, 10)): (2, 3),
        (UNIT, "RT01", date(2024, 9, 10)): (1, 3),
    }


def test_nothing_folds_to_nothing() -> None:
    known = Known({}, HASHER)
    changes = fold([], known)
    assert (changes.kept, list(known.receipts.added()), changes.greatest_event_at) == ({}, [], None)


def test_moments_stay_aware() -> None:
    changes = MemoryLedger().append([replace(make_event(), event_time=NOON.astimezone(UTC))])
    assert changes.greatest_event_at is not None
    assert changes.greatest_event_at.tzinfo is UTC
