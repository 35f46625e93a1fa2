"""The dashboards: as their code makes them, every panel explained, every query answered by a real Prometheus or PostgreSQL."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import urlencode

import pytest
import yaml
from sqlalchemy import Engine, text

from ingest.scenario import find_scenario, load_scenario
from monitor.board.dashboard_writer import DashboardWriter
from monitor.bulletin.build import build_bulletin
from monitor.judgement.judge import take_snapshot
from monitor.judgement.rhythms import Rhythms
from monitor.ledger.append import Ledger
from monitor.ledger.database import closing_engine, open_database
from monitor.ledger.month import read_month, read_running_month
from monitor.paging.metrics import SnapshotCollector, exposition
from monitor.paging.month_metrics import MonthCollector
from monitor.settings import ServeSettings
from ops.grafana.__main__ import DASHBOARDS, FOLDER, text_of
from ops.grafana.month import UNIT
from schemas.bulletin.columns import Absent, Form
from schemas.register import Register, UnitKind, load_register
from tests.conftest import prepare
from tests.ops.test_delivery import free_port, get_json, is_ready, wait_for
from tests.ops.tools import program
from tests.played_months import play
from tests.services.postgres import PostgresServer
from tests.services.process import ServiceProcess

TABLES: Final = {UnitKind.DISTRICT: "各区数据采集情况", UnitKind.HOSPITAL: "医院数据采集情况"}
UNITS_PLAYED: Final = 10
"""Of each kind."""
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


# --- against a real Prometheus and PostgreSQL ---


class Filled:
    """A ledger in which a few units have played September 2024: what serve exports of it, and what it writes for dashboards."""

    def __init__(self, url: str, register: Register) -> None:
        self.register = register
        scenario = load_scenario(find_scenario("2024-09"), register)
        self.engine = open_database(url, create=True)
        self.period = scenario.period
        of_kind = [[unit.unit_id for unit in register.units.values() if unit.kind is kind] for kind in TABLES]
        played = [unit_id for unit_ids in of_kind for unit_id in unit_ids[:UNITS_PLAYED]]
        play(prepare(Ledger(self.engine, register.units)), scenario, register, played)
        snapshot, month = take_snapshot(self.engine, register, Rhythms()), read_running_month(self.engine)
        settings = ServeSettings("")
        snapshots = SnapshotCollector(lambda: snapshot, settings.stall_after, settings.stale_after)
        self.text = exposition(snapshots, MonthCollector(lambda: month, lambda: register))
        DashboardWriter(self.engine, lambda: snapshot, lambda: month).write()


@pytest.fixture(scope="module")
def filled(postgres: PostgresServer) -> Iterator[Filled]:
    filled = Filled(postgres.new_database(), load_register())
    with closing_engine(filled.engine):
        yield filled


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


def rows_of(engine: Engine, sql: str, chosen: dict[str, str]) -> list[dict[str, Any]]:
    """What the database answers, its columns by their names; `chosen` by the names of variables."""
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(text(filled_in(sql, chosen))).mappings()]


def filled_in(query: str, chosen: dict[str, str]) -> str:
    for name, value in chosen.items():
        query = query.replace(f"${name}", value)
    return query


@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_query_has_an_answer(name: str, prometheus: str, filled: Filled) -> None:
    unit = ask(prometheus, "hip_unit_month_discharges")[0]["metric"]["unit_id"]  # one that carries every measure
    chosen = {"unit": unit, "month": str(filled.period)}
    for variable in json.loads(text_of(name))["templating"]["list"]:
        if variable["type"] == "query" and variable["datasource"]["type"] != "prometheus":
            values = [next(iter(row.values())) for row in rows_of(filled.engine, variable["query"], chosen)]
            assert chosen[variable["name"]] in values
    for panel in panels(name):
        for target in panel["targets"]:
            if "rawSql" in target:
                found: list[Any] = rows_of(filled.engine, target["rawSql"], chosen)
            else:
                found = ask(prometheus, filled_in(target["expr"], chosen))
            empty = panel["title"] in MAY_BE_EMPTY or NEVER_CARRIED in target.get("expr", "")
            assert found or empty, f"{panel['title']}: {target}"


def test_the_month_shows_the_numbers_of_the_report(filled: Filled) -> None:
    bulletin = build_bulletin(read_month(filled.engine, filled.period), filled.register)
    compared = 0
    for kind, rows in bulletin.rows.items():
        columns = {column.heading_zh: column for form in Form for column in form.columns(kind)}
        table = next(panel for panel in panels("month") if panel["title"].startswith(TABLES[kind]))
        shown = rows_of(filled.engine, table["targets"][0]["rawSql"], {"month": str(filled.period)})
        assert [found[UNIT] for found in shown] == [filled.register.units[row.unit_id].name_zh for row in rows]
        for row, found in zip(rows, shown, strict=True):
            assert found.keys() == {UNIT, *columns}
            for heading, column in columns.items():
                cell, value = row.cells[column.name], found[heading]
                absent = isinstance(cell, Absent) or (cell == 0 and column.name in ("outpatient_visits", "discharges"))
                assert value in (None, 0) if absent else value == cell, (row.unit_id, heading, cell, value)
                compared += 1
    assert compared > 500
