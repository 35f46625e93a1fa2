"""Events folded in columns against their oracle, `fold`."""

from collections.abc import Sequence
from copy import deepcopy
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.counting.activity import LIVE_WITHIN
from monitor.counting.batch import Rows
from monitor.counting.changes import Activity, Arrival
from monitor.counting.column_fold import ColumnArrivals
from monitor.counting.column_streams import StreamRows
from monitor.counting.fold import Known, Touched
from monitor.counting.receipts import OtherSeries, ReceiptRun, Receipts
from monitor.counting.streams import Gap, Stream, StreamKey
from schemas.topics import Topic
from tests.factories import NOON, OTHER_UNIT, UNIT, make_arrivals, make_event
from tests.unit.monitor.counting.columns import ADDED, arriving, columns_of, in_columns
from tests.unit.monitor.merging import HASHER, hashed

DAY = date(2024, 9, 9)
KEY = StreamKey(UNIT, Topic.CDA_DOCUMENTS, "")
some_odd = st.lists(st.booleans(), min_size=16, max_size=16)
none_odd = [False] * 16
LATE = timedelta(hours=2, minutes=7)


def known_of(arrivals: Sequence[Arrival], data: st.DataObject) -> Known:
    """What a ledger may know of their streams: nothing, or more; not of all of them."""
    known = Known({}, HASHER, clock=data.draw(st.sampled_from([None, NOON, NOON + timedelta(hours=20, milliseconds=7)])))
    stored = []
    for key in Rows(arrivals).touched():
        if data.draw(st.sampled_from([True] * 9 + [False])):
            known.streams[key] = stream = Stream()
            if data.draw(st.booleans()):
                stream.note(3, DAY)
                stored.append(ReceiptRun(key, 3, DAY, DAY, hashed(f"{key.topic}/{key.unit_id}/3")))
    known.receipts = Receipts(stored)
    units = data.draw(st.sampled_from([[], [], [UNIT], [UNIT, OTHER_UNIT]]))
    known.other_series = OtherSeries({(unit, topic): {} for unit in units for topic in ADDED})
    return known


def everything(known: Known) -> tuple[Any, ...]:
    return known.streams, list(known.receipts.added()), known.other_series


@settings(max_examples=60)
@given(st.data(), st.sampled_from(ADDED), st.just(none_odd) | some_odd)
def test_columns_change_what_their_events_change(data: st.DataObject, topic: Topic, odd: list[bool]) -> None:
    arrivals = data.draw(arriving(topic))
    known = known_of(arrivals, data)
    oracle = deepcopy(known)
    cut = data.draw(st.integers(1, len(arrivals)))
    for part, marks in ((arrivals[:cut], odd[:cut]), (arrivals[cut:], odd[cut:])):
        if part:
            assert in_columns(part, marks).fold(known) == Rows(part).fold(oracle)
            assert everything(known) == everything(oracle)


@settings(max_examples=30)
@given(st.data(), st.sampled_from(ADDED), some_odd)
def test_columns_say_of_their_streams_and_units_what_their_events_say(data: st.DataObject, topic: Topic, odd: list[bool]) -> None:
    arrivals = data.draw(arriving(topic))
    columns, rows = in_columns(arrivals, odd), Rows(arrivals)
    assert list(columns.rows()) == arrivals
    assert columns.units() == rows.units()
    found, wanted = columns.touched(), rows.touched()
    assert list(found) == list(wanted), "in the order in which they first appear"
    assert {key: comparable(touched) for key, touched in found.items()} == {
        key: comparable(touched) for key, touched in wanted.items()
    }


@pytest.mark.parametrize("odd", [(False, False), (True, False), (False, True)])
def test_receipts_of_half_of_the_units_say_when_a_feed_was_alive(odd: Sequence[bool]) -> None:
    arrivals = [Arrival(0, make_event(), NOON + LIVE_WITHIN), Arrival(1, make_event(unit_id=OTHER_UNIT), NOON + LATE)]
    known = Known({key: Stream() for key in Rows(arrivals).touched()}, HASHER)
    activity = in_columns(arrivals, odd).fold(known).activity
    assert list(activity.values()).count(Activity(1, 10, 15, 15)) == 1
    assert list(activity.values()).count(Activity(1, 10, 7, 7)) == 1


def comparable(touched: Touched) -> tuple[Any, ...]:
    return sorted(touched.numbers.tolist()), touched.oldest, touched.newest


def test_events_that_follow_each_other_are_not_taken_one_by_one() -> None:
    arrivals = make_arrivals([make_event(sequence=number) for number in (1, 2, 3, 7, 8, 2)])
    streams = {KEY: Stream()}
    known = Known(streams, HASHER)
    events = columns_of(arrivals)
    forward = ColumnArrivals(events)._streams.forward(known, ())
    assert forward.tolist() == [True, True, True, True, True, False], "only what comes again"
    changes = ColumnArrivals(events).fold(known)
    assert (changes.accepted, changes.duplicates, streams[KEY].gaps) == (5, 1, [Gap(4, 6, DAY, DAY)])
    found = StreamRows(columns_of(make_arrivals([make_event(sequence=4), *(arrival.event for arrival in arrivals)]))).again(known)
    assert found.tolist() == [False, True, True, True, True, True, True], "all but what fills the gap"
    assert streams[KEY].duplicates == 7
