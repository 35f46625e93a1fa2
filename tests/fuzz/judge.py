"""What the decoder may do with an input: refuse it by DecodeError, or give an event that keeps every documented bound."""

from collections import Counter
from datetime import UTC, date, datetime
from typing import Final

from schemas.clock import local_date
from schemas.codec.decode import decode, decode_dead_letter
from schemas.codec.encode import encode
from schemas.codec.identifiers import is_identifier
from schemas.codec.reasons import DecodeError
from schemas.events import CdaDocuments, DeadLetter, Declaration, Event, HealthRecords, RealtimeForms
from schemas.register import load_register
from schemas.topics import TOPIC_OF, Topic
from tests.factories import RECEIVED

ACCEPTED: Final = "accepted"
_REGISTER: Final = load_register()
_MOST: Final = 10**12
_FROM, _UNTIL = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)

Verdicts = Counter[tuple[Topic, str]]
"""Inputs by topic and outcome: ACCEPTED, or the reason of the refusal."""


class BrokenPromise(AssertionError):
    """An accepted message that the documentation does not allow."""


def judge(topic: Topic, message: bytes) -> str:
    """The outcome. Whatever is raised, BrokenPromise or another, is a defect of the decoder."""
    try:
        event = decode_dead_letter(message) if topic is Topic.DEAD_LETTERS else decode(message, topic, _REGISTER, RECEIVED)
    except DecodeError as error:
        _hold(0 < len(error.detail) < 200, "a refusal says why, and is short")
        return error.reason
    _hold(TOPIC_OF[type(event)] is topic, "an event belongs to the topic that it was read from")
    again = encode(event)
    if not isinstance(event, Declaration):  # tables are sorted, and may have come in blocks
        _hold(again == message, "an event is written as it was read")
    if isinstance(event, DeadLetter):
        _hold(event.received_at.tzinfo is UTC, "a moment is aware")
        _hold(decode_dead_letter(again) == event, "a letter that is written is read again")
        return ACCEPTED
    _hold(decode(again, topic, _REGISTER, RECEIVED) == event, "an event that is written is read again")
    _check_bounds(event)
    return ACCEPTED


def _check_bounds(event: Event) -> None:
    _hold(event.unit_id in _REGISTER.units, "the unit is registered")
    _hold(event.event_time.tzinfo is UTC and _FROM <= event.event_time < _UNTIL, "the event time is aware, from 2000 to 2099")
    _hold(is_identifier(event.event_id) and (not event.series or is_identifier(event.series)), "identifiers, and no free text")
    _hold(1 <= event.sequence <= _MOST, "numbers begin at 1")
    if isinstance(event, CdaDocuments | RealtimeForms | HealthRecords):
        # a datetime is a date too, which no sum by day could bear
        _hold(type(event.business_date) is date, "a business date is a date")
        newest = local_date(max(event.event_time, RECEIVED))
        _hold(_FROM.date() <= event.business_date <= newest, "nothing is reported before its day")
    for measure in _measures(event):
        _hold(measure is None or (type(measure) is int and 0 <= measure <= _MOST), "counts fit")
    if isinstance(event, CdaDocuments):
        _hold(event.table_code in _REGISTER.tables, "the table is in the catalogue")
    elif isinstance(event, RealtimeForms):
        _hold(event.form_code in _REGISTER.forms, "the form exists")
    elif isinstance(event, Declaration):
        _hold(set(event.table_codes) <= set(_REGISTER.tables), "declared tables are in the catalogue")
        _hold(list(event.table_codes) == sorted(set(event.table_codes)), "declared tables come sorted, each once")


def _measures(event: Event) -> tuple[int | None, ...]:
    match event:
        case CdaDocuments():
            measures = (event.outpatient_visits, event.discharges, event.outpatient_revenue_cents, event.inpatient_revenue_cents)
            return (event.record_count, *measures)
        case RealtimeForms():
            return (event.record_count,)
        case HealthRecords():
            return (event.base_total, event.hypertension_total, event.diabetes_total)
    return ()


def _hold(kept: bool, promise: str) -> None:
    if not kept:
        raise BrokenPromise(promise)
