"""Paging itself as metrics."""

from datetime import UTC, datetime
from pathlib import Path

from monitor.ledger.database import open_database
from monitor.ledger.outbox_counts import read_paging_counts
from monitor.paging.exposition import exposition
from monitor.paging.outbox_metrics import OutboxCollector
from monitor.paging.planning import Planner
from monitor.paging.receive import TOO_LARGE, note_refused, record
from monitor.paging.sender import Sender
from monitor.paging.target import Pace, Secret
from monitor.paging.webhook_message import WebhookMessage
from schemas.register import load_register
from tests.factories import make_alert, make_delivery
from tests.unit.monitor.paging.messages import make_target


def test_what_waits_and_who_cannot_be_reached_is_counted(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'ledger.db'}", create=True)
    now = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
    target = make_target(url=Secret("http://127.0.0.1:9/"), pace=Pace(settle=now - now))
    sender = Sender(engine, Planner(engine, load_register, lambda: None), "me", clock=lambda: now)
    sender.serve(target)
    record(engine, WebhookMessage.model_validate(make_delivery(make_alert())), now)
    sender.serve(target)
    note_refused(engine, TOO_LARGE, now)
    text = exposition(OutboxCollector(lambda: read_paging_counts(engine))).decode()
    found = {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in text.splitlines() if not line.startswith("#")}
    assert {name: value for name, value in found.items() if "created" not in name} == {
        'hip_outbox_waiting{target="duty"}': 1,
        'hip_outbox_messages_total{state="sent",target="duty"}': 0,
        'hip_outbox_messages_total{state="given_up",target="duty"}': 0,
        'hip_outbox_oldest_timestamp_seconds{target="duty"}': now.timestamp(),
        'hip_outbox_failing_since_timestamp_seconds{target="duty"}': now.timestamp(),
        'hip_incomplete_deliveries_total{reason="cut_off"}': 0,
        'hip_incomplete_deliveries_total{reason="too_large"}': 1,
        'hip_incomplete_deliveries_total{reason="unreadable"}': 0,
        'hip_incidents_open{acknowledged="no",alertname="UnitFeedSilent"}': 1,
        'hip_incidents_open{acknowledged="no",alertname="DeliveryRefused"}': 1,
    }
    engine.dispose()
