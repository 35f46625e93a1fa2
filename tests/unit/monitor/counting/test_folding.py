"""What one batch changes, with what is known handed in: refusals, duplicates, room, signs of life."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from monitor.counting.changes import Activity, Arrival, Changes, FeedProgress, Refused
from monitor.counting.feeds import Feed
from monitor.counting.fold import Known, Touched, fold, old_numbers, touched
from monitor.counting.kept import MAX_SUM
from monitor.counting.receipts import OtherSeries, Receipts
from monitor.counting.sent_days import Sent, SentOn
from monitor.counting.streams import Stream, StreamKey, stream_of
from schemas.codec.reasons import Reason
from schemas.events import Event
from schemas.topics import Topic
from tests.factories import NOON, RECEIVED, TABLE, UNIT, make_arrivals, make_declaration, make_event, make_forms
from tests.unit.monitor.merging import HASHER, hashed

KEY = StreamKey(UNIT, Topic.CDA_DOCUMENTS, "")
DAY, TODAY = date(2024, 9, 9), date(2024, 9, 10)
ROW = (UNIT, TABLE, DAY)
HOUR = timedelta(hours=1)
NOON_HOUR = int(NOON.timestamp()) // 3600
LONG_AGO = NOON - timedelta(days=400)


def known_of(*events: Event, **overrides: Any) -> Known:
    """Streams of these events in which nobody has sent anything yet."""
    return Known({stream_of(event): Stream() for event in events}, HASHER, **overrides)


def fold_all(*events: Event, received_at: datetime = RECEIVED, first: int = 0, **overrides: Any) -> tuple[Changes, Known]:
    known = known_of(*events, **overrides)
    return fold(make_arrivals(events, first, received_at), known), known


# --- what a batch touches ---


def test_the_streams_of_a_batch_are_told_in_the_order_in_which_they_appear_with_their_numbers_and_days() -> None:
    events: list[Event] = [
        make_forms(sequence=4),
        make_event(sequence=2, business_date=date(2024, 9, 5)),
        make_event(sequence=1, business_date=date(2024, 9, 7)),
        make_event(sequence=9, business_date=date(2024, 9, 3)),
        make_forms(sequence=5),
    ]
    assert plainly(touched(make_arrivals(events))) == [
        (stream_of(events[0]), [4, 5], TODAY, TODAY),
        (KEY, [2, 1, 9], date(2024, 9, 3), date(2024, 9, 7)),
    ]


def plainly(found: Mapping[StreamKey, Touched]) -> list[tuple[StreamKey, list[int], date, date]]:
    return [(key, each.numbers.tolist(), each.oldest, each.newest) for key, each in found.items()]


def test_what_two_batches_touch_of_a_stream_is_joined() -> None:
    eve, day = date(2024, 9, 5), date(2024, 9, 6)
    early = touched(make_arrivals([make_event(sequence=3, business_date=day)]))[KEY]
    late = touched(make_arrivals([make_event(sequence=1, business_date=eve), make_event(sequence=2, business_date=TODAY)]))[KEY]
    assert plainly({KEY: early.joined(late)}) == [(KEY, [3, 1, 2], eve, TODAY)]
    assert plainly({KEY: late.joined(early)}) == [(KEY, [1, 2, 3], eve, TODAY)]


def test_what_has_no_business_date_is_of_the_day_on_which_it_happened_as_far_as_its_clock_is_believed() -> None:
    declaration = make_declaration(event_time=NOON + timedelta(days=400))
    assert plainly(touched(make_arrivals([declaration]))) == [(stream_of(declaration), [1], TODAY, TODAY)]


def test_old_numbers_are_those_before_the_awaited_one_of_streams_that_the_batch_touches() -> None:
    other = KEY._replace(series="b")
    found = touched(make_arrivals([make_event(sequence=number) for number in (3, 4, 5, 9)]))
    assert old_numbers({KEY: Stream(next_sequence=5), other: Stream(next_sequence=9)}, found) == {KEY: [3, 4]}
    assert old_numbers({KEY: Stream(next_sequence=3)}, found) == {}


# --- refused, or again ---


def test_an_event_of_a_stream_that_may_not_begin_is_refused_where_it_stood_and_the_others_count() -> None:
    events = [make_event(sequence=1), make_event(series="b", event_id="b"), make_event(sequence=2)]
    known = known_of(events[0])
    changes = fold(make_arrivals(events, 7), known)
    assert changes.refused == [Refused(8, Reason.TOO_MANY_SERIES)]
    assert (changes.accepted, changes.duplicates) == (2, 0)
    assert list(known.streams) == [KEY]


def test_an_event_that_comes_again_is_one_duplicate_and_another_under_its_number_is_a_conflict() -> None:
    event = make_event()
    changes, known = fold_all(event, event, make_event(event_id="another"), event, first=3)
    assert changes.refused == [Refused(5, Reason.SEQUENCE_CONFLICT)]
    assert (changes.accepted, changes.duplicates) == (1, 2)
    assert (known.streams[KEY].accepted, known.streams[KEY].duplicates) == (1, 2)
    assert changes.kept == {Topic.CDA_DOCUMENTS: {ROW: (1, 10, None, None, None, None)}}


def test_a_number_that_was_counted_before_is_held_against_its_receipt() -> None:
    known = known_of(make_event())
    known.streams[KEY].next_sequence = 3
    known.receipts = Receipts()
    known.receipts.add(KEY, 1, DAY, hashed("documents-1"))
    known.receipts.add(KEY, 2, DAY, hashed("another"))
    changes = fold(make_arrivals([make_event(sequence=1), make_event(sequence=2)]), known)
    assert (changes.duplicates, changes.refused) == (1, [Refused(1, Reason.SEQUENCE_CONFLICT)])


def test_an_event_of_another_series_is_a_duplicate_whose_number_and_receipt_are_kept() -> None:
    event = make_event(sequence=3, event_id="a")
    known = known_of(event, other_series=OtherSeries({(UNIT, Topic.CDA_DOCUMENTS): {hashed("a"): "b"}}))
    changes = fold(make_arrivals([event]), known)
    stream = known.streams[KEY]
    assert (changes.accepted, changes.duplicates, changes.kept, changes.progress, changes.hours) == (0, 1, {}, {}, set())
    assert (stream.accepted, stream.duplicates, stream.next_sequence, stream.skipped) == (0, 1, 4, 2)
    assert [(run.stream, run.first, run.hashes) for run in known.receipts.added()] == [(KEY, 3, hashed("a"))]


def test_an_event_that_comes_in_two_series_of_one_batch_counts_once() -> None:
    events = [make_event(event_id="a"), make_event(event_id="a", series="b"), make_event(event_id="c", series="b", sequence=2)]
    changes, known = fold_all(*events, other_series=OtherSeries({(UNIT, Topic.CDA_DOCUMENTS): {}}))
    assert (changes.accepted, changes.duplicates) == (2, 1)
    assert {key.series: (s.accepted, s.duplicates) for key, s in known.streams.items()} == {"": (1, 0), "b": (1, 1)}


# --- room in a sum ---


def test_an_event_for_which_a_sum_has_no_room_is_refused_and_its_number_stays_awaited() -> None:
    before = (1, MAX_SUM - 15, None, None, None, None)
    events = [make_event(sequence=number, record_count=count) for number, count in ((1, 10), (2, 10), (3, 5))]
    changes, known = fold_all(*events, room={(Topic.CDA_DOCUMENTS, ROW): before})
    assert changes.refused == [Refused(1, Reason.SUM_OVERFLOW)]
    assert changes.accepted == 2
    assert changes.kept[Topic.CDA_DOCUMENTS] == {ROW: (2, 15, None, None, None, None)}
    assert known.room == {(Topic.CDA_DOCUMENTS, ROW): (3, MAX_SUM, None, None, None, None)}
    assert known.streams[KEY].awaits(2)
    assert known.receipts.find(KEY, 2) is None
    assert changes.sent[SentOn(UNIT, Feed.SCHEDULED, DAY, TODAY)].events == 2


def test_a_sum_in_which_nothing_stands_yet_has_room() -> None:
    changes, known = fold_all(make_event(record_count=MAX_SUM), make_event(sequence=2, record_count=1), room={})
    assert changes.refused == [Refused(1, Reason.SUM_OVERFLOW)]
    assert known.room == {(Topic.CDA_DOCUMENTS, ROW): (1, MAX_SUM, None, None, None, None)}


# --- signs of life ---


def activity_of(changes: Changes, feed: Feed = Feed.SCHEDULED) -> dict[int, Activity]:
    return {hour - NOON_HOUR: found for (unit_id, of, hour), found in changes.activity.items() if (unit_id, of) == (UNIT, feed)}


def test_where_receipts_are_live_a_sign_of_life_is_of_its_receipt() -> None:
    slow = make_event(unit_id="xuanwu", event_time=NOON - 8 * HOUR)
    changes = fold(
        [Arrival(0, make_event(), NOON + timedelta(minutes=5)), Arrival(1, slow, NOON + timedelta(minutes=7))],
        known_of(make_event(), slow, clock=LONG_AGO),
    )
    assert changes.activity == {
        (UNIT, Feed.SCHEDULED, NOON_HOUR): Activity(1, 10, 5, 5),
        ("xuanwu", Feed.SCHEDULED, NOON_HOUR): Activity(1, 10, 7, 7),
    }


@pytest.mark.parametrize(
    ("clock", "hour", "minute"),
    [(None, 0, 0), (NOON - 2 * HOUR, 0, 0), (NOON + 2 * HOUR + timedelta(minutes=9), 2, 9)],
    ids=["unknown", "behind", "ahead"],
)
def test_in_a_replay_it_is_of_the_platform_clock_and_never_before_the_event(
    clock: datetime | None, hour: int, minute: int
) -> None:
    changes, _ = fold_all(make_event(), make_event(sequence=2), received_at=NOON + timedelta(days=400), clock=clock)
    assert activity_of(changes) == {hour: Activity(2, 20, minute, minute)}


def test_an_hour_has_its_first_and_last_minute() -> None:
    moments = [NOON + timedelta(minutes=minute) for minute in (30, 10, 50)]
    events = [make_forms(sequence=number, event_time=moment) for number, moment in enumerate(moments, 1)]
    changes, _ = fold_all(*events, received_at=NOON + timedelta(days=400))
    assert activity_of(changes, Feed.REALTIME) == {0: Activity(3, 9, 10, 50)}


def test_what_belongs_to_no_feed_is_no_sign_of_life() -> None:
    changes, _ = fold_all(make_declaration())
    assert (changes.activity, changes.progress, changes.sent, changes.accepted) == ({}, {}, {}, 1)
    assert changes.hours == {NOON_HOUR}


# --- how far a feed has come ---


def test_a_feed_has_come_as_far_as_its_newest_business_date() -> None:
    changes, _ = fold_all(make_event(business_date=date(2024, 9, 8)), make_event(sequence=2, business_date=date(2024, 9, 7)))
    assert changes.progress[UNIT, Feed.SCHEDULED].last_business_date == date(2024, 9, 8)


def test_a_feed_has_not_come_further_than_the_day_on_which_it_was_received() -> None:
    changes, _ = fold_all(make_event(event_time=NOON + timedelta(days=20), business_date=date(2024, 9, 30)))
    assert changes.progress[UNIT, Feed.SCHEDULED] == FeedProgress(RECEIVED, RECEIVED, TODAY)


def test_a_feed_knows_its_first_and_its_latest_event() -> None:
    moments = [NOON - HOUR, NOON - 3 * HOUR, NOON - 2 * HOUR]
    events = [make_event(sequence=number, event_time=moment) for number, moment in enumerate(moments, 1)]
    changes, _ = fold_all(*events)
    assert changes.progress == {(UNIT, Feed.SCHEDULED): FeedProgress(NOON - 3 * HOUR, NOON - HOUR, DAY)}
    assert changes.greatest_event_at == NOON - HOUR
    assert changes.hours == {NOON_HOUR - 3, NOON_HOUR - 2, NOON_HOUR - 1}


def test_a_clock_that_is_wrong_is_counted_in_its_stream() -> None:
    ahead, behind = make_event(event_time=NOON + HOUR), make_event(sequence=2, event_time=LONG_AGO)
    changes, known = fold_all(ahead, behind, make_event(sequence=3))
    stream = known.streams[KEY]
    assert (stream.ahead, stream.behind, stream.accepted) == (1, 1, 3)
    begins = datetime(2024, 9, 8, 16, tzinfo=NOON.tzinfo)
    assert changes.sent == {
        SentOn(UNIT, Feed.SCHEDULED, DAY, TODAY): Sent(2, 20, ahead=1, ahead_seconds=3_540),
        SentOn(UNIT, Feed.SCHEDULED, DAY, DAY): Sent(1, 10, behind=1, behind_seconds=round((begins - LONG_AGO).total_seconds())),
    }
    assert changes.greatest_event_at == NOON
