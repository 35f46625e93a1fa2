"""Values for tests: each factory makes a valid one, and the overrides are what the test is about."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from monitor.counting.batch import Batch, Position, RawBatch, RawMessage, Rows
from monitor.counting.changes import Arrival, FeedProgress
from monitor.counting.feeds import Feed
from schemas.codec.reasons import Reason
from schemas.events import CdaDocuments, DeadLetter, Declaration, Event, FormCode, HealthRecords, RealtimeForms, TableCode, UnitId
from schemas.register import load_register
from schemas.topics import EVENT_TOPICS, TOPIC_OF, Topic, topic_name

UNIT: Final = UnitId("gulou")
OTHER_UNIT: Final = UnitId("qinhuai")
UNITS: Final = frozenset(load_register().units)
HOSPITAL: Final = UnitId("nj-drum-tower-hospital")
TABLE: Final = TableCode("C0002")
FORM: Final = FormCode("RT02")
NOON: Final = datetime(2024, 9, 10, 4, 0, tzinfo=UTC)
"""Noon in Shanghai, on a Tuesday."""
RECEIVED: Final = NOON + timedelta(minutes=1)
TOPIC_IDS: Final[dict[Topic, str]] = {topic: f"id-of-{topic}" for topic in EVENT_TOPICS}


def make_event(**overrides: Any) -> CdaDocuments:
    sequence = overrides.get("sequence", 1)
    values: dict[str, Any] = {
        "event_id": f"documents-{sequence}",
        "unit_id": UNIT,
        "table_code": TABLE,
        "business_date": date(2024, 9, 9),
        "event_time": NOON,
        "series": "",
        "sequence": sequence,
        "record_count": 10,
    }
    return CdaDocuments(**{**values, **overrides})


def make_forms(**overrides: Any) -> RealtimeForms:
    sequence = overrides.get("sequence", 1)
    values: dict[str, Any] = {
        "event_id": f"forms-{sequence}",
        "unit_id": UNIT,
        "form_code": FORM,
        "business_date": date(2024, 9, 10),
        "event_time": NOON,
        "series": "",
        "sequence": sequence,
        "record_count": 3,
    }
    return RealtimeForms(**{**values, **overrides})


def make_declaration(**overrides: Any) -> Declaration:
    sequence = overrides.get("sequence", 1)
    values: dict[str, Any] = {
        "event_id": f"declaration-{sequence}",
        "unit_id": UNIT,
        "event_time": NOON,
        "series": "",
        "sequence": sequence,
        "table_codes": (TABLE,),
    }
    return Declaration(**{**values, **overrides})


def make_health_records(**overrides: Any) -> HealthRecords:
    sequence = overrides.get("sequence", 1)
    values: dict[str, Any] = {
        "event_id": f"snapshot-{sequence}",
        "unit_id": UNIT,
        "business_date": date(2024, 9, 9),
        "event_time": NOON,
        "series": "",
        "sequence": sequence,
        "base_total": 900,
        "hypertension_total": 80,
        "diabetes_total": 7,
    }
    return HealthRecords(**{**values, **overrides})


def make_letter(**overrides: Any) -> DeadLetter:
    values: dict[str, Any] = {
        "topic": topic_name(Topic.CDA_DOCUMENTS),
        "partition": 0,
        "offset": 0,
        "received_at": RECEIVED,
        "reason": Reason.TRUNCATED,
        "detail": "the datum ends early, after 12 bytes in all",
        "key": b"gulou",
        "value": b"\xc3\x01 and then\x00\xff",
    }
    return DeadLetter(**{**values, **overrides})


def make_arrivals(events: Sequence[Event], first: int = 0, received_at: datetime = RECEIVED) -> list[Arrival]:
    return [Arrival(offset, event, received_at) for offset, event in enumerate(events, first)]


def make_batch(*events: Event, raw: type[RawBatch] = RawBatch, **overrides: Any) -> Batch:
    """The next batch of partition 0 of the events' topic, from offset `first` on; dead letters stand after the events."""
    first = overrides.pop("first", 0)
    partition = overrides.pop("partition", 0)
    topic: Topic = overrides.pop("topic", TOPIC_OF[type(events[0])] if events else Topic.CDA_DOCUMENTS)
    dead_letters = overrides.pop("dead_letters", ())
    received_at = overrides.pop("received_at", RECEIVED)
    known = make_letter()
    messages = [RawMessage(offset, known.key, known.value, received_at) for offset, _ in enumerate(events, first)]
    values: dict[str, Any] = {
        "topic": topic,
        "topic_name": topic_name(topic),
        "start": Position(TOPIC_IDS[topic], partition, first),
        "next_offset": first + len(events) + len(dead_letters),
        "messages": messages,
    }
    return Batch(raw(**{**values, **overrides}), Rows(make_arrivals(events, first, received_at)), dead_letters)


def make_progress(**overrides: Any) -> FeedProgress:
    last = overrides.get("last_event_at", NOON)
    values: dict[str, Any] = {"first_event_at": last, "last_event_at": last, "last_business_date": date(2024, 9, 9)}
    return FeedProgress(**{**values, **overrides})


def make_progress_by_unit(feed: Feed, **last_event_at: datetime) -> dict[tuple[UnitId, Feed], FeedProgress]:
    """Marks of one feed, by unit id."""
    return {(UnitId(unit_id), feed): make_progress(last_event_at=moment) for unit_id, moment in last_event_at.items()}


def make_alert(**overrides: Any) -> dict[str, Any]:
    """One alert as Alertmanager posts it; `labels` and `annotations` are added to what every alert has."""
    labels = {"alertname": "UnitFeedSilent", "unit_id": UNIT, "feed": "scheduled", "severity": "page"}
    annotations = {"summary": "Gulou District is silent", "summary_zh": "鼓楼区中断"}
    values: dict[str, Any] = {
        "status": "firing",
        "startsAt": "2024-09-10T04:00:00.123Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://127.0.0.1:9090/graph",
        "fingerprint": "0123456789abcdef",
    }
    return {
        **values,
        **overrides,
        "labels": {**labels, **overrides.get("labels", {})},
        "annotations": {**annotations, **overrides.get("annotations", {})},
    }


def make_delivery(*alerts: dict[str, Any]) -> dict[str, Any]:
    """Alertmanager's webhook message, version 4."""
    return {"version": "4", "groupKey": "{}", "truncatedAlerts": 0, "status": "firing", "receiver": "hip", "alerts": list(alerts)}


def make_watchdog(**overrides: Any) -> dict[str, Any]:
    labels = {"alertname": "Watchdog", "unit_id": "", "feed": "", "severity": "none"}
    return make_alert(**{"fingerprint": "watchdog", "labels": labels, **overrides})
