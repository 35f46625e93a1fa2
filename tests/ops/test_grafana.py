"""The dashboards: as their code makes them, every panel explained, every query answered by a real Prometheus."""

import json
import threading
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import groupby, islice
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import pytest
import yaml

from hipwatch.replay import plan_of
from ingest.scenario import find_scenario, load_scenario
from ingest.simulator.events import events
from monitor.board.snapshot_keeper import SnapshotKeeper
from monitor.bulletin.build import build_bulletin
from monitor.judgement.judge import Snapshot, take_snapshot
from monitor.judgement.rhythms import Rhythms
from monitor.ledger.append import Ledger
from monitor.ledger.database import open_database
from monitor.ledger.month import read_month, read_running_month
from monitor.paging.metrics import SnapshotCollector, exposition
from monitor.paging.month_metrics import MonthCollector
from monitor.settings import ServeSettings
from ops.grafana.__main__ import DASHBOARDS, FOLDER, text_of
from ops.grafana.month import METRIC_OF
from schemas.bulletin.columns import Absent, Form
from schemas.clock import start_of_day
from schemas.events import Event
from schemas.register import Register, UnitKind, load_register
from schemas.topics import TOPIC_OF, Topic
from tests.conftest import prepare
from tests.contract.test_reading import advance
from tests.factories import make_batch
from tests.ops.test_delivery import free_port, get_json, is_ready, wait_for
from tests.ops.tools import program
from tests.services.process import ServiceProcess

TABLES: Final = {UnitKind.DISTRICT: "各区数据采集情况", UnitKind.HOSPITAL: "医院数据采集情况"}
UNITS_PLAYED: Final = 10
"""Of each kind."""
FEN: Final = Decimal("0.00001")
"""Of a thousand yuan: what a float of Prometheus still tells apart."""
NEVER_CARRIED: Final = "hip_unit_month_tables_declared"
"""Nobody declared anything in September 2024."""
MAY_BE_EMPTY: Final = {
    "逾期通道明细 · Feeds overdue, longest first",
    "死信 · Dead letters per hour",
    "告警通路 · Watchdog not heard for",
}
"""Panels that show nothing while all is well, or while nobody pages."""


@pytest.mark.parametrize("name", DASHBOARDS)
def test_what_is_committed_is_what_the_code_makes(name: str) -> None:
    assert (FOLDER / f"{name}.json").read_text(encoding="utf-8") == text_of(name), "run: python -m ops.grafana"


def panels(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(text_of(name))["panels"]
    return found


@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_panel_is_explained_and_has_a_place_of_its_own(name: str) -> None:
    taken: set[tuple[int, int]] = set()
    assert len({panel["id"] for panel in panels(name)}) == len(panels(name))
    for panel in panels(name):
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken
        assert place["x"] + place["w"] <= 24
        taken |= cells


# --- against a real Prometheus ---


def topic_of(event: Event) -> Topic:
    return TOPIC_OF[type(event)]


class Filled:
    """A ledger in which a few units have played September 2024, and a Prometheus that scrapes what serve exports of it."""

    def __init__(self, folder: Path, register: Register) -> None:
        self.register = register
        scenario = load_scenario(find_scenario("2024-09"), register)
        self.engine = open_database(f"sqlite:///{folder / 'ledger.db'}", create=True)
        self.period = scenario.period
        of_kind = [[unit.unit_id for unit in register.units.values() if unit.kind is kind] for kind in TABLES]
        played = [unit_id for unit_ids in of_kind for unit_id in unit_ids[:UNITS_PLAYED]]
        ledger = prepare(Ledger(self.engine, register.units))
        end = start_of_day(scenario.period.next().first)  # the last date comes in October, which would be the running month
        month_events = events(plan_of(scenario, register))
        chosen = (event for event in month_events if event.unit_id in played and event.event_time < end)
        self._append(ledger, chosen)
        self.keeper: SnapshotKeeper[Snapshot] = SnapshotKeeper(lambda: take_snapshot(self.engine, register, Rhythms()))
        self.keeper.refresh()
        month = read_running_month(self.engine)
        settings = ServeSettings("")
        snapshots = SnapshotCollector(lambda: self.keeper.latest, settings.stall_after, settings.stale_after)
        self.text = exposition(snapshots, MonthCollector(lambda: month, lambda: register))

    def _append(self, ledger: Ledger, chosen: Iterator[Event]) -> None:
        offsets: dict[Topic, int] = {}
        greatest = None
        while some := list(islice(chosen, 5_000)):
            for topic, found in groupby(sorted(some, key=topic_of), key=topic_of):
                batch = list(found)
                first = offsets.get(topic, 0)
                ledger.append(make_batch(*batch, first=first, topic=topic, received_at=batch[-1].event_time))
                offsets[topic] = first + len(batch)
            greatest = some[-1].event_time
        assert greatest is not None
        advance(ledger, greatest)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    return Filled(tmp_path_factory.mktemp("grafana"), load_register())


@pytest.fixture(scope="module")
def prometheus(filled: Filled, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Prometheus that has scraped it twice."""
    folder = tmp_path_factory.mktemp("prometheus")

    class Exported(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(filled.text)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Exported)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    config = folder / "prometheus.yml"
    target = f"127.0.0.1:{server.server_address[1]}"
    job = {"job_name": "hipwatch", "static_configs": [{"targets": [target]}]}
    config.write_text(yaml.safe_dump({"global": {"scrape_interval": "1s"}, "scrape_configs": [job]}))
    address = f"http://127.0.0.1:{(port := free_port())}"
    command = [program("prometheus"), f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}"]
    process = ServiceProcess("prometheus", [*command, f"--web.listen-address=127.0.0.1:{port}"], folder / "prometheus.log")
    process.start(lambda: is_ready(address))
    try:
        wait_for(lambda: ask(address, "count_over_time(hip_unit_month_records[1m]) >= 2"), "two scrapes")
        yield address
    finally:
        process.kill()
        server.shutdown()


def ask(address: str, expr: str) -> list[dict[str, Any]]:
    answer = get_json(f"{address}/api/v1/query?{urlencode({'query': expr})}")
    assert answer["status"] == "success"
    found: list[dict[str, Any]] = answer["data"]["result"]
    return found


@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_query_has_an_answer(name: str, prometheus: str) -> None:
    unit = ask(prometheus, "hip_unit_month_discharges")[0]["metric"]["unit_id"]  # one that carries every measure
    for panel in panels(name):
        if panel["title"].startswith(tuple(TABLES.values())):
            continue  # held against the report below, cell by cell
        for target in panel["targets"]:
            empty = panel["title"] in MAY_BE_EMPTY or NEVER_CARRIED in target["expr"]
            assert ask(prometheus, target["expr"].replace("$unit", unit)) or empty, f"{panel['title']}: {target['expr']}"


def test_the_month_shows_the_numbers_of_the_report(prometheus: str, filled: Filled) -> None:
    bulletin = build_bulletin(read_month(filled.engine, filled.period), filled.register)
    compared = 0
    for kind, rows in bulletin.rows.items():
        printed = {column.heading_zh: column.name for form in Form for column in form.columns(kind) if column.name in METRIC_OF}
        table = next(panel for panel in panels("month") if panel["title"].startswith(TABLES[kind]))
        renamed = table["transformations"][1]["options"]["renameByName"]
        for target in table["targets"]:
            column = printed[renamed[f"Value #{target['refId']}"]]
            shown = {
                found["metric"]["name_zh"]: Decimal(found["value"][1]).quantize(FEN) for found in ask(prometheus, target["expr"])
            }
            for row in rows:
                cell, value = row.cells[column], shown.get(filled.register.units[row.unit_id].name_zh)
                absent = isinstance(cell, Absent) or (cell == 0 and column in ("outpatient_visits", "discharges"))
                assert (value in (None, 0)) if absent else value == cell, (row.unit_id, column, cell, value)
                compared += 1
    assert compared > 500
