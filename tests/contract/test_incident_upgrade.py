"""A ledger of the release before incidents had a life, brought up to date without loss."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from monitor.ledger.database import make_engine, upgrade_database, writing
from monitor.ledger.incidents import find_incident, list_incidents
from monitor.ledger.migrating import differences, migrate_to
from monitor.paging.receive import record
from monitor.paging.webhook_message import WebhookMessage
from tests.contract.test_incidents import MINUTE
from tests.factories import NOON, make_alert, make_delivery

_NOON = int(NOON.timestamp() * 1000)


@pytest.fixture
def old(database_url: str) -> Iterator[Engine]:
    """As 0.1.0 left it: one incident over, two open under one fingerprint since both programs were restarted."""
    engine = make_engine(database_url)
    text_columns = "fingerprint, alertname, summary, summary_zh, labels"
    columns = f"{text_columns}, started_at, opened_at, closed_at, last_delivery_at, deliveries"
    lives = [("a", 0, 60_000), ("b", 0, None), ("b", 120_000, None), ("c", 0, None)]
    values = ":f, 'Alert', '', '', '{}', :s, :s, :c, :s, 3"
    with writing(engine) as connection:
        migrate_to(connection, "0004")
        connection.execute(text("INSERT INTO platform_clock (id, advanced_at) VALUES (1, 0)"))
        for fingerprint, start, end in lives:
            life = {"f": fingerprint, "s": _NOON + start, "c": None if end is None else _NOON + end}
            connection.execute(text(f"INSERT INTO incident ({columns}) VALUES ({values})"), life)
    yield engine
    engine.dispose()


def test_of_several_that_stood_open_under_one_fingerprint_the_latest_stays_open(old: Engine, database_url: str) -> None:
    upgrade_database(database_url)
    with old.connect() as connection:
        assert differences(connection) == []
    found = [(one.fingerprint, one.closed_at is None, one.closed_by, one.deliveries, one.change) for one in list_incidents(old)]
    assert sorted(found, key=str) == [
        ("a", False, "alertmanager", 3, 2),
        ("b", False, "hipwatch", 3, 2),
        ("b", True, None, 3, 1),
        ("c", True, None, 3, 1),
    ]


def test_its_incidents_go_on_and_have_a_life(old: Engine, database_url: str) -> None:
    upgrade_database(database_url)
    message = make_delivery(
        make_alert(fingerprint="b"), make_alert(fingerprint="d"), make_alert(fingerprint="c", status="resolved")
    )
    record(old, WebhookMessage.model_validate(message), NOON + 10 * MINUTE)
    assert [one.fingerprint for one in list_incidents(old, open_only=True)] == ["b", "d"]
    (closed,) = [one for one in list_incidents(old) if one.fingerprint == "c"]
    found = find_incident(old, closed.id or 0)
    assert found is not None
    assert [(event.kind, event.by) for event in found[1]] == [("opened", "alertmanager"), ("closed", "alertmanager")]
