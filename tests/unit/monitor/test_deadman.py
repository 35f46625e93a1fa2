import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.app.web import build_web, check_paging
from monitor.ledger import tables
from monitor.ledger.incidents import list_incidents
from monitor.paging.deadman import PAGING_DOWN, Deadman
from monitor.paging.receive import record
from monitor.paging.webhook_message import WebhookMessage
from monitor.settings import ServeSettings
from tests.contract.contents import only_row, rows
from tests.factories import make_alert, make_delivery, make_watchdog
from tests.unit.monitor.sites import Site, running

AFTER = timedelta(minutes=10)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with running(tmp_path, watchdog_after=AFTER) as site:
        yield site


@pytest.fixture
def began() -> datetime:
    """About the moment at which the site's deadman began; the test goes on from there by saying what time it is."""
    return datetime.now(UTC)


def hear(site: Site, at: datetime, **overrides: Any) -> None:
    record(site.engine, WebhookMessage.model_validate(make_delivery(make_watchdog(**overrides))), at)


def check(site: Site, now: datetime) -> list[str]:
    """The open incidents after a fresh reading and a check."""
    site.keeper.refresh()
    check_paging(site.keeper, site.deadman, now)
    return [incident.alertname for incident in list_incidents(site.engine, open_only=True)]


def test_a_watchdog_that_is_lost_opens_one_incident_and_its_return_closes_it(site: Site, began: datetime) -> None:
    hear(site, began)
    assert check(site, began + 9 * MINUTE) == []
    assert check(site, began + 11 * MINUTE) == [PAGING_DOWN]
    assert check(site, began + 20 * MINUTE) == [PAGING_DOWN]
    incident = only_row(site.engine, tables.Incident)
    assert (incident["severity"], incident["unit_id"], incident["deliveries"]) == ("page", None, 1)
    assert abs(incident["started_at"] - (began + 11 * MINUTE)) < timedelta(milliseconds=1)
    hear(site, began + 25 * MINUTE)
    assert check(site, began + 26 * MINUTE) == []
    assert only_row(site.engine, tables.Incident)["closed_at"] is not None


def test_a_second_loss_is_a_second_incident(site: Site, began: datetime) -> None:
    for hours in (0, 1):
        hear(site, began + timedelta(hours=hours))
        assert check(site, began + timedelta(hours=hours, minutes=5)) == []
        assert check(site, began + timedelta(hours=hours, minutes=11)) == [PAGING_DOWN]
    assert [row["closed_at"] is None for row in rows(site.engine, tables.Incident)] == [False, True]


def test_exactly_at_the_limit_paging_is_not_lost_yet(site: Site, began: datetime) -> None:
    heard = began + MINUTE
    hear(site, heard)
    heard = only_row(site.engine, tables.Delivery)["last_at"]
    assert check(site, heard + AFTER) == []
    assert check(site, heard + AFTER + timedelta(milliseconds=1)) == [PAGING_DOWN]


def test_a_monitor_that_never_had_a_watchdog_runs_without_paging(site: Site, began: datetime) -> None:
    assert check(site, began + timedelta(days=30)) == []
    assert rows(site.engine, tables.Incident) == []


def test_other_alerts_are_no_watchdog(site: Site, began: datetime) -> None:
    record(site.engine, WebhookMessage.model_validate(make_delivery(make_alert(status="resolved"))), began)
    assert check(site, began + timedelta(days=30)) == []


def test_a_resolved_watchdog_does_not_put_it_off(site: Site, began: datetime) -> None:
    hear(site, began)
    hear(site, began + 9 * MINUTE, status="resolved")
    assert check(site, began + 11 * MINUTE) == [PAGING_DOWN]


def test_our_own_downtime_is_not_the_pagers_fault(site: Site, began: datetime) -> None:
    hear(site, began - timedelta(days=3))
    assert check(site, began + MINUTE) == []
    assert check(site, began + 11 * MINUTE) == [PAGING_DOWN]


def restarted(site: Site) -> None:
    site.deadman = Deadman(site.engine, AFTER)


def test_an_incident_that_an_earlier_process_opened_is_closed_when_the_watchdog_is_back(site: Site, began: datetime) -> None:
    hear(site, began)
    assert check(site, began + 11 * MINUTE) == [PAGING_DOWN]
    restarted(site)
    assert check(site, began + 12 * MINUTE) == [PAGING_DOWN], "it is still not heard"
    hear(site, began + 13 * MINUTE)
    assert check(site, began + 14 * MINUTE) == []


def test_a_restart_does_not_open_a_second_incident(site: Site, began: datetime) -> None:
    hear(site, began)
    assert check(site, began + 11 * MINUTE) == [PAGING_DOWN]
    restarted(site)
    assert check(site, began + timedelta(hours=2)) == [PAGING_DOWN]
    assert len(rows(site.engine, tables.Incident)) == 1


def test_while_the_ledger_cannot_be_read_nobody_knows_about_the_watchdog(site: Site, began: datetime) -> None:
    hear(site, began)
    site.keeper.refresh()
    whole = site.break_ledger()
    site.keeper.refresh()
    site.engine.dispose()
    site.path.write_bytes(whole)
    hear(site, began + 10 * MINUTE)
    check_paging(site.keeper, site.deadman, began + 11 * MINUTE)  # it has not read this delivery yet
    assert check(site, began + 12 * MINUTE) == []
    assert rows(site.engine, tables.Incident) == []


def test_an_incident_that_could_not_be_recorded_is_recorded_at_the_next_check(site: Site, began: datetime) -> None:
    hear(site, began)
    site.keeper.refresh()
    whole = site.break_ledger()
    check_paging(site.keeper, site.deadman, began + 11 * MINUTE)  # not read again since, so it does not know yet
    site.engine.dispose()
    site.path.write_bytes(whole)
    assert check(site, began + 12 * MINUTE) == [PAGING_DOWN]


def test_an_old_snapshot_stays_while_the_ledger_cannot_be_read(site: Site) -> None:
    site.keeper.refresh()
    before = site.keeper.latest
    assert before is not None
    whole = site.break_ledger()
    site.keeper.refresh()
    assert site.keeper.latest is before
    assert site.keeper.problem is not None
    site.engine.dispose()
    site.path.write_bytes(whole)
    site.keeper.refresh()
    assert site.keeper.problem is None
    assert site.keeper.latest is not before


def test_the_schedule_reads_at_once_and_again_and_ends(tmp_path: Path) -> None:
    settings = ServeSettings(f"sqlite:///{tmp_path / 'scheduled.db'}", refresh=timedelta(milliseconds=20))
    with build_web(settings) as web:
        first = web.keeper.latest
        assert first is not None
        until(lambda: web.keeper.latest is not first)
    time.sleep(0.2)  # a reading that was under way at the end is waited for by nobody
    last = web.keeper.latest
    time.sleep(0.2)
    assert web.keeper.latest is last


def until(condition: Any, seconds: float = 10) -> None:
    deadline = datetime.now(UTC) + timedelta(seconds=seconds)
    while not condition():
        assert datetime.now(UTC) < deadline, "it does not come true"
