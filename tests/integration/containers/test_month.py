"""September 2024 from the units to the incident log: in containers, and in the same way in local processes."""

import csv
from datetime import datetime, timedelta
from typing import Any

import pytest

from ingest.scenario import find_scenario
from monitor.counting.feeds import Feed
from schemas.clock import SHANGHAI
from schemas.events import UnitId
from schemas.register import load_register
from tests.integration.containers.month import WATCHED, Played

pytestmark = pytest.mark.timeout(900)
_FLAGS = {"outpatient_revenue_kcny": "outpatient_revenue_reported", "inpatient_revenue_kcny": "inpatient_revenue_reported"}


def test_report_equals_the_print_in_every_cell(september: Played) -> None:
    register = load_register()
    counted = {row["unit_id"]: row for kind in ("districts", "hospitals") for row in september.report[kind]}
    compared = 0
    for kind in ("districts", "hospitals"):
        with (find_scenario("2024-09") / f"collection_{kind}.csv").open(encoding="utf-8") as file:
            for printed in csv.DictReader(file):
                unit = register.unit_named(printed["unit"])
                assert unit is not None
                for column in set(printed) - {"rank", "unit", *_FLAGS.values()}:
                    assert _text(counted[unit.unit_id][column]) == _printed(printed, column), (printed["unit"], column)
                    compared += 1
    assert compared == 408


def test_every_event_is_counted_once_though_a_worker_is_killed_in_the_middle(september: Played) -> None:
    assert 0 < september.counted_at_kill < september.plan.expected_events
    assert september.counted == september.plan.expected_events
    assert september.duplicates == september.dead_letters == 0
    assert september.exit_codes == {"worker-1": 137, "worker-2": None, "simulator": 0}


def test_alert_for_the_silent_district_arrives_while_the_month_runs(september: Played) -> None:
    (incident,) = [found for found in september.incidents if found["unit_id"] == WATCHED]
    assert incident["alertname"] == "UnitNeverSeen"
    assert "秦淮区" in incident["summary_zh"]
    first_use = datetime(2024, 9, 1, tzinfo=SHANGHAI)
    opened = datetime.fromisoformat(incident["platform_time"])
    assert first_use + timedelta(hours=72) < opened < datetime(2024, 9, 30, tzinfo=SHANGHAI)


def test_death_of_a_worker_is_blamed_on_no_unit(september: Played) -> None:
    days = {Feed.SCHEDULED: september.plan.upload_days, Feed.REALTIME: september.plan.realtime_days}
    for incident in september.incidents:
        if incident["unit_id"] is None:
            continue
        feeds = [Feed(incident["feed"])] if incident["feed"] else list(Feed)
        for feed in feeds:
            assert len(days[feed].get(UnitId(incident["unit_id"]), ())) < 30, incident


def _printed(row: dict[str, str], column: str) -> str:
    return "/" if row.get(_FLAGS.get(column, ""), "yes") == "no" else row[column]


def _text(cell: Any) -> str:
    return str(cell["printed"] if isinstance(cell, dict) else cell)
