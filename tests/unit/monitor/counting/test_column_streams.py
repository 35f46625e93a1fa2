"""Numbers in columns: which follow each other, which come again, what a clock that is behind does to its stream."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from monitor.counting.column_streams import StreamRows, _runs
from monitor.counting.fold import Known
from monitor.counting.streams import Stream, StreamKey
from schemas.events import UnitId
from schemas.topics import Topic
from tests.factories import OTHER_UNIT, UNIT, make_arrivals, make_event
from tests.unit.monitor.counting.columns import columns_of
from tests.unit.monitor.merging import HASHER

BEGINS = datetime(2024, 9, 8, 16, tzinfo=UTC)
"""Of the business date of `make_event`, in Shanghai."""


def key_of(unit_id: UnitId) -> StreamKey:
    return StreamKey(unit_id, Topic.CDA_DOCUMENTS, "")


def test_a_run_ends_where_a_number_does_not_follow_or_another_stream_begins() -> None:
    numbers, firsts = [1, 2, 3, 7, 8, 9, 3], [0, 5]
    assert _runs(np.array(numbers), np.isin(np.arange(7), firsts)).tolist() == [0, 3, 5, 6]


@pytest.mark.parametrize(("known_unit", "other"), [(UNIT, OTHER_UNIT), (OTHER_UNIT, UNIT)])
def test_what_comes_again_is_seen_beside_a_stream_that_may_not_be_counted(known_unit: UnitId, other: UnitId) -> None:
    known = Known({key_of(known_unit): Stream(next_sequence=2)}, HASHER)
    rows = StreamRows(columns_of(make_arrivals([make_event(unit_id=unit_id) for unit_id in (other, known_unit)])))
    assert rows.again(known).tolist() == [False, True]


def test_a_clock_that_is_a_millisecond_behind_is_behind() -> None:
    moments = [BEGINS - timedelta(milliseconds=1), BEGINS]
    rows = StreamRows(columns_of(make_arrivals([make_event(sequence=n, event_time=at) for n, at in enumerate(moments, 1)])))
    known = Known({key_of(UNIT): Stream()}, HASHER)
    rows.count(known)
    assert (known.streams[key_of(UNIT)].behind, known.streams[key_of(UNIT)].accepted) == (1, 2)
