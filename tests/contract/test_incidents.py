"""The incident log on every database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import Engine

from monitor import tables
from monitor.incidents import WebhookMessage, list_incidents, record
from monitor.ledger import Ledger, Position
from tests.contract.contents import contents, only_row, rows
from tests.factories import NOON, UNIT, make_alert, make_delivery, make_watchdog

MINUTE = timedelta(minutes=1)
STARTED = datetime(2024, 9, 10, 4, 0, 0, 123_000, tzinfo=UTC)


def deliver(engine: Engine, *alerts: dict[str, Any], at: datetime = NOON) -> None:
    record(engine, WebhookMessage.model_validate(make_delivery(*alerts)), at)


def test_a_firing_alert_opens_an_incident(engine: Engine) -> None:
    deliver(engine, make_alert())
    assert only_row(engine, tables.Incident) == {
        "fingerprint": "0123456789abcdef",
        "started_at": STARTED,
        "alertname": "UnitFeedSilent",
        "unit_id": UNIT,
        "feed": "scheduled",
        "severity": "page",
        "summary": "Gulou District is silent",
        "summary_zh": "鼓楼区中断",
        "labels": '{"alertname": "UnitFeedSilent", "feed": "scheduled", "severity": "page", "unit_id": "gulou"}',
        "platform_time": None,
        "opened_at": NOON,
        "closed_at": None,
        "deliveries": 1,
        "last_delivery_at": NOON,
    }


def test_however_often_it_is_delivered_it_is_one_incident(engine: Engine) -> None:
    for number in range(3):
        deliver(engine, make_alert(), at=NOON + number * MINUTE)
    incident = only_row(engine, tables.Incident)
    assert (incident["deliveries"], incident["opened_at"], incident["last_delivery_at"]) == (3, NOON, NOON + 2 * MINUTE)


def test_the_start_is_the_same_in_every_zone_and_precision(engine: Engine) -> None:
    for start in ("2024-09-10T04:00:00.123Z", "2024-09-10T12:00:00.123456789+08:00", "2024-09-10T04:00:00.123"):
        deliver(engine, make_alert(startsAt=start))
    assert only_row(engine, tables.Incident)["deliveries"] == 3


def test_a_resolved_alert_closes_its_incident_once(engine: Engine) -> None:
    deliver(engine, make_alert())
    deliver(engine, make_alert(status="resolved"), at=NOON + MINUTE)
    deliver(engine, make_alert(status="resolved"), at=NOON + 2 * MINUTE)
    incident = only_row(engine, tables.Incident)
    assert (incident["opened_at"], incident["closed_at"], incident["deliveries"]) == (NOON, NOON + MINUTE, 3)
    assert list_incidents(engine, open_only=True) == []


def test_a_firing_delivery_that_comes_late_does_not_open_a_closed_incident_again(engine: Engine) -> None:
    for minute, status in enumerate(("firing", "resolved", "firing")):
        deliver(engine, make_alert(status=status), at=NOON + minute * MINUTE)
    assert only_row(engine, tables.Incident)["closed_at"] == NOON + MINUTE


def test_an_alert_that_is_only_ever_heard_of_resolved_is_an_incident_that_is_over(engine: Engine) -> None:
    deliver(engine, make_alert(status="resolved"))
    assert only_row(engine, tables.Incident)["closed_at"] == NOON


def test_an_alert_that_fires_again_with_a_new_start_is_a_new_incident(engine: Engine) -> None:
    deliver(engine, make_alert())
    deliver(engine, make_alert(status="resolved"), at=NOON + MINUTE)
    deliver(engine, make_alert(startsAt="2024-09-11T04:00:00Z"), at=NOON + 2 * MINUTE)
    assert [incident["closed_at"] for incident in rows(engine, tables.Incident)] == [NOON + MINUTE, None]


def test_alerts_of_one_delivery_are_incidents_of_their_own(engine: Engine) -> None:
    deliver(engine, make_alert(), make_alert(fingerprint="b", labels={"unit_id": "qinhuai"}), make_watchdog())
    assert [incident.unit_id for incident in list_incidents(engine)] == ["gulou", "qinhuai"]


def test_the_watchdog_is_no_incident_but_its_delivery_is_noted(engine: Engine) -> None:
    deliver(engine, make_watchdog())
    deliver(engine, make_watchdog(), at=NOON + MINUTE)
    deliver(engine, make_watchdog(), at=NOON - MINUTE)
    assert rows(engine, tables.Incident) == []
    assert only_row(engine, tables.Delivery) == {"alertname": "Watchdog", "last_at": NOON + MINUTE}


def test_a_resolved_watchdog_is_no_sign_of_life(engine: Engine) -> None:
    # Alertmanager resolves it when Prometheus has stopped sending it
    deliver(engine, make_watchdog())
    deliver(engine, make_watchdog(status="resolved"), at=NOON + MINUTE)
    assert only_row(engine, tables.Delivery)["last_at"] == NOON


def test_an_incident_knows_the_platform_time_it_was_opened_at(ledger: Ledger, engine: Engine) -> None:
    positions = [Position(topic_id, partition, at) for (topic_id, partition), at in ledger.next_offsets().items()]
    ledger.mark_complete(positions, NOON)
    deliver(engine, make_alert())
    ledger.mark_complete(positions, NOON + MINUTE)
    deliver(engine, make_alert())
    assert only_row(engine, tables.Incident)["platform_time"] == NOON


def test_incidents_are_listed_oldest_first_and_open_ones_on_demand(engine: Engine) -> None:
    first = make_alert(fingerprint="1", labels={"alertname": "UnitFeedSilent", "unit_id": "qinhuai"})
    second = make_alert(fingerprint="2", labels={"alertname": "UnitFeedSilent", "unit_id": "gulou"})
    earlier = make_alert(fingerprint="3", labels={"alertname": "Zeta"})
    deliver(engine, first, second)
    deliver(engine, earlier, at=NOON - MINUTE)
    deliver(engine, make_alert(fingerprint="2", status="resolved"), at=NOON + MINUTE)
    assert [incident.fingerprint for incident in list_incidents(engine)] == ["3", "2", "1"]
    assert [incident.fingerprint for incident in list_incidents(engine, open_only=True)] == ["3", "1"]


def test_an_incident_without_a_unit_is_listed_before_those_that_have_one(engine: Engine) -> None:
    nobody = make_alert(fingerprint="2")
    del nobody["labels"]["unit_id"]
    deliver(engine, make_alert(fingerprint="1"), nobody)
    assert [incident.unit_id for incident in list_incidents(engine)] == [None, UNIT]


def test_any_text_in_an_alert_is_kept_as_it_is(engine: Engine) -> None:
    text = "<script>alert('x')</script> 'quoted' -- ; DROP TABLE incident; 鼓楼区 \U0001f6a8"
    deliver(engine, make_alert(labels={"alertname": text}, annotations={"summary": text}))
    (incident,) = list_incidents(engine)
    assert (incident.alertname, incident.summary) == (text, text)


def test_a_nul_which_no_database_keeps_stops_no_delivery(engine: Engine) -> None:
    deliver(engine, make_alert(annotations={"summary": "a\x00b"}))
    assert only_row(engine, tables.Incident)["summary"] == "a\ufffdb"


def test_an_empty_delivery_changes_nothing(engine: Engine) -> None:
    before = contents(engine)
    deliver(engine)
    assert contents(engine) == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "pending"},
        {"startsAt": "yesterday"},
        {"startsAt": "9999-12-31T23:59:59-12:00"},
        {"startsAt": "0001-01-01T00:00:00+12:00"},
        {"startsAt": None},
        {"fingerprint": ""},
        {"fingerprint": "x" * 201},
        {"labels": {"alertname": 3}},
    ],
    ids=str,
)
def test_what_is_no_alert_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        WebhookMessage.model_validate(make_delivery(make_alert(**wrong)))
