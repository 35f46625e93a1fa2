"""The incident log on every database."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from time import process_time
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import Engine

from monitor.counting.batch import Position
from monitor.ledger import tables
from monitor.ledger.append import Ledger
from monitor.ledger.incident_book import incident_book
from monitor.ledger.incidents import find_incident, incomplete_deliveries, list_incidents
from monitor.paging.incidents import Ask, Truth, Verdict, know_nothing
from monitor.paging.receive import follow_ledger, record
from monitor.paging.webhook_message import WebhookMessage
from tests.contract.contents import contents, only_row, rows
from tests.factories import NOON, UNIT, make_alert, make_delivery, make_watchdog

MINUTE = timedelta(minutes=1)
STARTED = datetime(2024, 9, 10, 4, 0, 0, 123_000, tzinfo=UTC)


def deliver(engine: Engine, *alerts: dict[str, Any], at: datetime = NOON, ask: Ask = know_nothing) -> None:
    record(engine, WebhookMessage.model_validate(make_delivery(*alerts)), at, ask)


def follow(engine: Engine, ask: Ask, *, at: datetime, read_at: datetime | None = None) -> None:
    """Let the log follow a ledger that was read at that moment, or before it."""
    follow_ledger(engine, ask, read_at or at, at)


def says(verdict: Verdict, **moments: datetime) -> Ask:
    """A ledger that says the same of every alert."""
    return lambda _name, _labels: Truth(verdict, **moments)


def life(engine: Engine) -> list[tuple[str, str]]:
    """What happened to the only incident, and by whom."""
    found = find_incident(engine, only_row(engine, tables.Incident)["id"])
    assert found is not None
    return [(line.kind, line.by) for line in found[1]]


def test_a_firing_alert_opens_an_incident(engine: Engine) -> None:
    deliver(engine, make_alert())
    incident = only_row(engine, tables.Incident)
    assert (
        incident.items()
        >= {
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
            "change": 1,
            "began_at": None,
        }.items()
    )


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


def test_an_alert_that_fires_again_with_the_same_start_opens_its_incident_again_for_all_to_see(engine: Engine) -> None:
    for minute, status in enumerate(("firing", "resolved", "firing")):
        deliver(engine, make_alert(status=status), at=NOON + minute * MINUTE)
    (incident,) = list_incidents(engine, open_only=True)
    assert (incident.closed_at, incident.reopened, incident.opened_at) == (None, 1, NOON)
    assert life(engine) == [("opened", "alertmanager"), ("closed", "alertmanager"), ("reopened", "alertmanager")]


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
    ledger.raise_complete_until(positions, NOON)
    deliver(engine, make_alert())
    ledger.raise_complete_until(positions, NOON + MINUTE)
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


def test_a_delivery_with_another_start_continues_what_is_open(engine: Engine) -> None:
    # Prometheus and Alertmanager were both restarted: the alert has another start, the fingerprint stays
    deliver(engine, make_alert())
    deliver(engine, make_alert(startsAt="2024-09-10T06:00:00Z"), at=NOON + MINUTE)
    assert only_row(engine, tables.Incident).items() >= {"deliveries": 2, "closed_at": None, "started_at": STARTED}.items()


def test_resolved_closes_whatever_is_open_under_the_fingerprint(engine: Engine) -> None:
    deliver(engine, make_alert())
    deliver(engine, make_alert(status="resolved", startsAt="2024-09-10T06:00:00Z"), at=NOON + MINUTE)
    assert only_row(engine, tables.Incident)["closed_at"] == NOON + MINUTE


def test_a_start_in_a_year_that_cannot_be_is_taken_as_now(engine: Engine) -> None:
    deliver(engine, make_alert(startsAt="9999-12-31T23:59:59Z"))
    deliver(engine, make_alert(fingerprint="b", startsAt="0001-01-01T00:00:00Z"))
    assert [incident.started_at for incident in list_incidents(engine)] == [NOON, NOON]


def test_ten_thousand_alerts_in_one_delivery_take_less_than_two_seconds_of_work(engine: Engine) -> None:
    alerts = [make_alert(fingerprint=str(number), labels={"unit_id": f"unit-{number}"}) for number in range(10_000)]
    for at in (NOON, NOON + MINUTE):
        message = WebhookMessage.model_validate(make_delivery(*alerts))
        began = process_time()
        record(engine, message, at)
        assert process_time() - began < 2
    assert {incident.deliveries for incident in list_incidents(engine, open_only=True)} == {2}


def test_an_alert_that_stands_twice_in_a_delivery_is_taken_in_order(engine: Engine) -> None:
    deliver(engine, make_alert(), make_alert(status="resolved"), make_alert())
    assert life(engine) == [("opened", "alertmanager"), ("closed", "alertmanager"), ("reopened", "alertmanager")]


def test_alerts_that_the_sender_left_out_are_counted(engine: Engine) -> None:
    for _ in range(2):
        record(engine, WebhookMessage.model_validate(make_delivery(make_alert()) | {"truncatedAlerts": 17}), NOON)
    (incomplete,) = incomplete_deliveries(engine)
    assert (incomplete.reason, incomplete.deliveries, incomplete.alerts, incomplete.last_at) == ("cut_off", 2, 34, NOON)


def test_while_the_ledger_says_that_the_unit_is_silent_no_resolve_closes_its_incident(engine: Engine) -> None:
    # Prometheus has died: Alertmanager resolves every alert, and the unit is as silent as before
    deliver(engine, make_alert(), ask=says(Verdict.HOLDS, began_at=STARTED))
    deliver(engine, make_alert(status="resolved"), at=NOON + MINUTE, ask=says(Verdict.HOLDS))
    (incident,) = list_incidents(engine, open_only=True)
    assert (incident.resolved_at, incident.began_at) == (NOON + MINUTE, STARTED)
    deliver(engine, make_alert(startsAt="2024-09-10T06:00:00Z"), at=NOON + 2 * MINUTE, ask=says(Verdict.HOLDS))
    (incident,) = list_incidents(engine)
    assert (incident.closed_at, incident.resolved_at, incident.reopened) == (None, None, 0)


def test_a_recovery_that_the_ledger_has_seen_closes_the_incident_with_its_true_end(engine: Engine) -> None:
    deliver(engine, make_alert())
    follow(engine, says(Verdict.HOLDS), at=NOON + MINUTE)
    assert list_incidents(engine, open_only=True) != []
    follow(engine, says(Verdict.OVER, ended_at=STARTED), at=NOON + 2 * MINUTE)
    assert only_row(engine, tables.Incident).items() >= {"closed_at": NOON + 2 * MINUTE, "ended_at": STARTED}.items()
    deliver(engine, make_alert(), at=NOON + 3 * MINUTE, ask=says(Verdict.OVER))
    assert list_incidents(engine, open_only=True) == [], "a repeat from before Prometheus saw the recovery"
    deliver(engine, make_alert(status="resolved"), at=NOON + 4 * MINUTE, ask=says(Verdict.OVER))
    assert life(engine) == [("opened", "alertmanager"), ("closed", "ledger")]


@pytest.mark.parametrize("start", ["2024-09-10T04:00:00.123Z", "2024-09-10T06:00:00Z"])
@pytest.mark.parametrize("resolved", [False, True])
def test_what_still_fires_after_the_recovery_that_the_ledger_has_seen_is_no_news(
    engine: Engine, start: str, resolved: bool
) -> None:
    # Prometheus was restarted, and fires by what it knew before, with a new start; or a delivery came late
    over = says(Verdict.OVER, ended_at=STARTED)
    deliver(engine, make_alert())
    follow(engine, over, at=NOON + MINUTE)
    if resolved:
        deliver(engine, make_alert(status="resolved"), at=NOON + 2 * MINUTE, ask=over)
    deliver(engine, make_alert(startsAt=start), at=NOON + 3 * MINUTE, ask=over)
    follow(engine, over, at=NOON + 4 * MINUTE)
    assert life(engine) == [("opened", "alertmanager"), ("closed", "ledger")]
    assert only_row(engine, tables.Incident)["change"] == 2, "nobody is told again"


def test_a_later_silence_that_is_over_when_its_alert_comes_is_an_incident_of_its_own(engine: Engine) -> None:
    deliver(engine, make_alert())
    follow(engine, says(Verdict.OVER, ended_at=STARTED), at=NOON + MINUTE)
    later = says(Verdict.OVER, ended_at=STARTED + MINUTE)
    deliver(engine, make_alert(startsAt="2024-09-10T06:00:00Z"), at=NOON + 2 * MINUTE, ask=later)
    follow(engine, later, at=NOON + 3 * MINUTE)
    assert [one.ended_at for one in list_incidents(engine)] == [STARTED, STARTED + MINUTE]


def test_a_unit_that_falls_silent_again_before_anybody_resolved_its_alert_is_open_again(engine: Engine) -> None:
    deliver(engine, make_alert())
    follow(engine, says(Verdict.OVER), at=NOON + MINUTE)
    follow(engine, says(Verdict.HOLDS), at=NOON + 2 * MINUTE)
    assert life(engine) == [("opened", "alertmanager"), ("closed", "ledger"), ("reopened", "ledger")]


def test_what_was_read_before_an_incident_changed_does_not_change_it_back(engine: Engine) -> None:
    # two monitors, one of which has read the ledger earlier: by turns they would open and close it
    over, holds = says(Verdict.OVER, ended_at=STARTED), says(Verdict.HOLDS)
    deliver(engine, make_alert())
    follow(engine, over, at=NOON + MINUTE, read_at=NOON - MINUTE)
    assert life(engine) == [("opened", "alertmanager")]
    follow(engine, over, at=NOON + 2 * MINUTE, read_at=NOON + MINUTE)
    follow(engine, holds, at=NOON + 3 * MINUTE, read_at=NOON + MINUTE)
    assert life(engine) == [("opened", "alertmanager"), ("closed", "ledger")]
    follow(engine, holds, at=NOON + 4 * MINUTE, read_at=NOON + 3 * MINUTE)
    follow(engine, over, at=NOON + 5 * MINUTE, read_at=NOON + 3 * MINUTE)
    assert life(engine) == [("opened", "alertmanager"), ("closed", "ledger"), ("reopened", "ledger")]


def test_an_incident_that_the_ledger_cannot_judge_closes_when_the_sender_has_shown_that_it_lives(engine: Engine) -> None:
    stalled = make_alert(labels={"alertname": "MonitorStalled", "scope": "monitor"})
    deliver(engine, make_watchdog(), stalled)
    deliver(engine, {**stalled, "status": "resolved"}, at=NOON + MINUTE)
    deliver(engine, make_watchdog(), at=NOON + MINUTE + timedelta(seconds=89))
    assert list_incidents(engine, open_only=True) != [], "a dead Prometheus' Watchdog may be repeated for so long"
    deliver(engine, make_watchdog(), at=NOON + MINUTE + timedelta(seconds=90))
    assert only_row(engine, tables.Incident)["closed_at"] == NOON + MINUTE + timedelta(seconds=90)


def test_when_prometheus_dies_and_comes_back_nothing_was_closed_and_nothing_is_doubled(engine: Engine) -> None:
    silent, stalled = make_alert(), make_alert(fingerprint="b", labels={"alertname": "MonitorStalled", "scope": "monitor"})
    ask = asking({"UnitFeedSilent": Truth(Verdict.HOLDS)})
    deliver(engine, make_watchdog(), silent, stalled, ask=ask)
    dead = [{**alert, "status": "resolved"} for alert in (make_watchdog(), silent, stalled)]
    deliver(engine, *dead, at=NOON + 4 * MINUTE, ask=ask)
    follow(engine, ask, at=NOON + 20 * MINUTE)
    assert len(list_incidents(engine, open_only=True)) == 2
    watchdog, silent, stalled = ({**alert, "startsAt": "2024-09-10T04:24:00Z"} for alert in (make_watchdog(), silent, stalled))
    deliver(engine, watchdog, at=NOON + 24 * MINUTE, ask=ask)  # the others have a `for`, and are put off for their group
    deliver(engine, watchdog, at=NOON + 26 * MINUTE, ask=ask)
    deliver(engine, silent, stalled, at=NOON + 27 * MINUTE, ask=ask)
    deliver(engine, watchdog, at=NOON + 39 * MINUTE, ask=ask)
    incidents = list_incidents(engine)
    assert [(incident.closed_at, incident.reopened, incident.change) for incident in incidents] == [(None, 0, 1)] * 2


def test_what_ended_while_prometheus_was_dead_closes_when_it_would_fire_again_by_now(engine: Engine) -> None:
    stalled = make_alert(labels={"alertname": "MonitorStalled", "scope": "monitor"})
    deliver(engine, make_watchdog(), stalled)
    deliver(engine, {**stalled, "status": "resolved"}, at=NOON + 4 * MINUTE)
    watchdog = make_watchdog(startsAt="2024-09-10T04:24:00Z")
    deliver(engine, watchdog, at=NOON + 38 * MINUTE)
    assert list_incidents(engine, open_only=True) != []
    deliver(engine, watchdog, at=NOON + 39 * MINUTE)
    assert only_row(engine, tables.Incident)["closed_at"] == NOON + 39 * MINUTE


def asking(truths: dict[str, Truth]) -> Ask:
    return lambda name, _labels: truths.get(name, Truth(Verdict.UNKNOWN))


def test_what_a_person_does_is_written_down_with_the_persons_name(engine: Engine) -> None:
    deliver(engine, make_alert())
    number = only_row(engine, tables.Incident)["id"]
    with incident_book(engine, NOON + MINUTE) as book:
        assert book.acknowledge(number, "wang", "rings them up")
        assert book.note(number, "wang", "their firewall")
        assert book.mute(number, "li", NOON + 60 * MINUTE)
        assert book.close(number, "li")
        assert not book.acknowledge(number, "li"), "it is over"
        assert not book.note(number + 1, "li", "there is no such incident")
    assert life(engine)[1:] == [("acknowledged", "wang"), ("noted", "wang"), ("muted", "li"), ("closed", "li")]
    incident = only_row(engine, tables.Incident)
    assert (incident["acknowledged_by"], incident["closed_by"], incident["deliveries"]) == ("wang", "li", 1)


def test_an_incident_that_a_person_closed_stays_closed_until_its_alert_ends_and_fires_again(engine: Engine) -> None:
    deliver(engine, make_alert())
    with incident_book(engine, NOON + MINUTE) as book:
        book.close(only_row(engine, tables.Incident)["id"], "li")
    deliver(engine, make_alert(), at=NOON + 2 * MINUTE, ask=says(Verdict.HOLDS))
    follow(engine, says(Verdict.HOLDS), at=NOON + 3 * MINUTE)
    assert list_incidents(engine, open_only=True) == []
    deliver(engine, make_alert(status="resolved"), at=NOON + 4 * MINUTE)
    deliver(engine, make_alert(), at=NOON + 5 * MINUTE)
    assert len(list_incidents(engine, open_only=True)) == 1


def test_deliveries_of_the_same_alert_at_the_same_time_are_one_incident(engine: Engine) -> None:
    message = WebhookMessage.model_validate(make_delivery(*(make_alert(fingerprint=str(number)) for number in range(50))))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: record(engine, message, NOON), range(16)))
    assert [incident.deliveries for incident in list_incidents(engine)] == [16] * 50
