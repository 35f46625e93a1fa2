"""Strategies: what units send, and how it arrives."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from schemas.events import Event
from tests.factories import FORM, NOON, OTHER_UNIT, TABLE, UNIT, make_declaration, make_event, make_forms, make_health_records

_measures = st.none() | st.integers(0, 10**9)
_units = st.sampled_from([UNIT, OTHER_UNIT])
_days = st.dates(date(2024, 9, 1), date(2024, 9, 3))
_MAKERS: Mapping[str, Callable[..., Event]] = {
    "documents": make_event,
    "forms": make_forms,
    "declaration": make_declaration,
    "snapshot": make_health_records,
}


@st.composite
def _an_event(draw: st.DrawFn, kind: str, unit_id: str, series: str, sequence: int, ahead: int) -> Event:
    values: dict[str, Any] = {
        "unit_id": unit_id,
        "series": series,
        "sequence": sequence,
        "event_id": f"{kind}/{unit_id}/{series}/{sequence}",
        "event_time": NOON - timedelta(minutes=draw(st.integers(-ahead, 3000))),
    }
    if kind == "documents":
        values |= {name: draw(_measures) for name in ("outpatient_visits", "discharges", "outpatient_revenue_cents")}
        values |= {"table_code": draw(st.sampled_from([TABLE, "C0001"])), "record_count": draw(st.integers(0, 10**6))}
    if kind == "forms":
        values |= {"form_code": draw(st.sampled_from([FORM, "RT01"])), "record_count": draw(st.integers(0, 10**6))}
    if kind == "snapshot":
        values |= {"base_total": draw(_measures)}
    if kind != "declaration":
        values |= {"business_date": draw(_days)}
    return _MAKERS[kind](**values)


@st.composite
def sent_events(draw: st.DrawFn, kinds: tuple[str, ...] = tuple(_MAKERS), most: int = 12, ahead: int = 0) -> list[Event]:
    """Events of a few streams, each with gaps perhaps; no number twice. Clocks may run `ahead` minutes ahead of noon."""
    streams = draw(
        st.lists(st.tuples(st.sampled_from(kinds), _units, st.sampled_from(["", "b"])), min_size=1, max_size=3, unique=True)
    )
    events: list[Event] = []
    for kind, unit_id, series in streams:
        sequences = sorted(draw(st.sets(st.integers(1, 20), min_size=1, max_size=most)))
        events += [draw(_an_event(kind, unit_id, series, sequence, ahead)) for sequence in sequences]
    return events


@st.composite
def deliveries(draw: st.DrawFn, events: list[Event]) -> list[list[Event]]:
    """Every event at least once, in any order, some again and again, cut into batches anywhere."""
    again = draw(st.lists(st.sampled_from(events), max_size=15))
    return draw(cuttings(draw(st.permutations([*events, *again]))))


@st.composite
def histories(draw: st.DrawFn, events: list[Event]) -> list[Event]:
    """Every event at least once, in any order, whole runs again, and some numbers claimed by an event of another id too."""
    arriving = draw(st.permutations(events))
    for _ in range(draw(st.integers(0, 3))):
        start, end = sorted((draw(st.integers(0, len(arriving))), draw(st.integers(0, len(arriving)))))
        at = draw(st.integers(0, len(arriving)))
        arriving = [*arriving[:at], *arriving[start:end], *arriving[at:]]
    for claimed in draw(st.lists(st.sampled_from(events), max_size=4)):
        arriving.insert(draw(st.integers(0, len(arriving))), replace(claimed, event_id=f"not {claimed.event_id}"))
    return arriving


@st.composite
def cuttings(draw: st.DrawFn, arriving: list[Event]) -> list[list[Event]]:
    """The same events in the same order, cut into batches anywhere."""
    cuts = sorted(draw(st.sets(st.integers(1, len(arriving)), max_size=5)))
    return [arriving[start:end] for start, end in zip([0, *cuts], [*cuts, len(arriving)], strict=True) if start < end]
