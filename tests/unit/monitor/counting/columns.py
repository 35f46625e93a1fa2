"""Strategies: events in any order of their numbers, and the columns that they decode to."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from hypothesis import strategies as st

from monitor.counting.changes import Arrival
from monitor.counting.column_fold import ColumnArrivals
from monitor.counting.event_columns import EventColumns
from schemas.clock import local_date, to_millis
from schemas.codec.columnar import ColumnarDecoder
from schemas.codec.encode import encode
from schemas.codec.packed import Packed
from schemas.events import Event
from schemas.register import load_register
from schemas.topics import TOPIC_OF, Topic
from tests.factories import HOSPITAL, NOON, OTHER_UNIT, TABLE, UNIT, make_event, make_forms

ADDED = (Topic.CDA_DOCUMENTS, Topic.REALTIME_FORMS)
_DECODERS = {topic: ColumnarDecoder(topic, load_register()) for topic in ADDED}
_measures = st.none() | st.integers(0, 10**12)
_steps = st.sampled_from([0, 0, 0, 0, 0, 0, 1, 4, -1, -2, -5])
"""How far a number is from the one that its stream awaits: most follow, some leave a gap, some come again or fill one."""
_edges = st.sampled_from([timedelta(minutes=minutes) for minutes in (-5, 0, 15)])
_late = st.integers(-900, 5_000).map(lambda minutes: timedelta(minutes=minutes)) | st.builds(
    lambda edge, off: edge + timedelta(milliseconds=off), _edges, st.sampled_from([-1_501, -1_500, -1, 0, 1, 500])
)
"""How long after it happened an event comes: around what a clock may be off, around what counts as live, and anything else."""


@st.composite
def arriving(draw: st.DrawFn, topic: Topic, most: int = 16) -> list[Arrival]:
    """Events as they come: some again, some late, some as another event under a number that was taken, clocks off."""
    arrivals: list[Arrival] = []
    greatest: dict[tuple[str, str], int] = defaultdict(int)
    for offset in range(draw(st.integers(1, most))):
        unit = draw(st.sampled_from([UNIT, UNIT, OTHER_UNIT, HOSPITAL]))
        series = draw(st.sampled_from(["", "", "", "b"]))
        sequence = max(1, greatest[unit, series] + 1 + draw(_steps))
        greatest[unit, series] = max(greatest[unit, series], sequence)
        received_at = NOON + timedelta(hours=draw(st.integers(0, 30)))
        event = draw(_event(topic, unit_id=unit, series=series, sequence=sequence, received_at=received_at))
        arrivals.append(Arrival(3 * offset, event, received_at))
    return arrivals


@st.composite
def _event(draw: st.DrawFn, topic: Topic, *, received_at: datetime, sequence: int, series: str, unit_id: str) -> Event:
    late = draw(_late)
    moment = received_at - late
    name = draw(st.sampled_from([f"{sequence}", f"{sequence}", f"{sequence}", f"{sequence}-{series}", "another"]))
    values: dict[str, Any] = {
        "unit_id": unit_id,
        "series": series,
        "sequence": sequence,
        "event_id": f"{topic}/{unit_id}/{name}",
        "event_time": moment,
        "business_date": local_date(max(moment, received_at)) - timedelta(days=draw(st.sampled_from([0, 0, 1, 3]))),
        "record_count": draw(st.integers(0, 2) | st.integers(0, 10**12)),
    }
    if topic is Topic.REALTIME_FORMS:
        return make_forms(**values, form_code=draw(st.sampled_from(["RT01", "RT02"])))
    values |= {name: draw(_measures) for name in ("outpatient_visits", "outpatient_revenue_cents")}
    return make_event(**values, table_code=draw(st.sampled_from([TABLE, "C0001"])))


def columns_of(arrivals: Sequence[Arrival]) -> EventColumns:
    """What these events decode to, each of which can be read in columns."""
    values = [encode(event) for _, event, _ in arrivals]
    lengths = np.array([len(value) for value in values], np.int64)
    received_ms = np.array([to_millis(received_at) for _, _, received_at in arrivals], np.int64)
    topic = TOPIC_OF[type(arrivals[0].event)]
    found = _DECODERS[topic].decode(Packed(values), np.cumsum(lengths) - lengths, lengths, received_ms)
    assert not len(found.odd), "every event of a test can be read in columns"
    return EventColumns(topic, np.array([offset for offset, _, _ in arrivals], np.int64), received_ms, found.columns)


def in_columns(arrivals: Sequence[Arrival], odd: Sequence[bool]) -> ColumnArrivals:
    """The same events, but for those that are `odd`: these are events already."""
    others = np.array(odd[: len(arrivals)], bool)
    events = columns_of(arrivals)
    return ColumnArrivals(events.take(~others), events.take(others).arrivals())
