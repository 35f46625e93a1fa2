"""The dashboards: as their code makes them, every panel explained, every query answered by a real Prometheus or PostgreSQL."""

import json
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import urlencode

import pytest
import yaml
from sqlalchemy import Engine, text

from ingest.scenario import find_scenario, load_scenario
from monitor.board.dashboard_writer import DashboardWriter
from monitor.bulletin.build import build_bulletin
from monitor.counting.feeds import Feed
from monitor.judgement.find import judge_units
from monitor.judgement.finding_keeper import overdue_feeds
from monitor.judgement.judge import take_snapshot
from monitor.judgement.rhythms import Rhythms
from monitor.ledger.append import Ledger
from monitor.ledger.database import closing_engine, open_database, writing
from monitor.ledger.incident_book import incident_book
from monitor.ledger.incidents import list_incidents
from monitor.ledger.month import read_month, read_running_month
from monitor.ledger.statements import table_of
from monitor.ledger.tables import OutboxMessage
from monitor.paging.canary_metrics import CanaryCollector
from monitor.paging.exposition import exposition
from monitor.paging.incidents import know_nothing
from monitor.paging.metrics import SnapshotCollector
from monitor.paging.month_metrics import MonthCollector
from monitor.paging.receive import record
from monitor.paging.webhook_message import WebhookMessage
from monitor.settings import ServeSettings
from ops.grafana.__main__ import DASHBOARDS, FOLDER, text_of
from ops.grafana.month import UNIT as NAME
from schemas.bulletin.columns import Absent, Form
from schemas.register import Register, UnitKind, load_register
from tests.conftest import prepare
from tests.factories import NOON, OTHER_UNIT, UNIT, make_alert, make_delivery
from tests.ops.metrics_page import heard
from tests.ops.test_delivery import free_port, get_json, is_ready, wait_for
from tests.ops.tools import program
from tests.played_months import play
from tests.services.postgres import PostgresServer
from tests.services.process import ServiceProcess

MINUTE: Final = timedelta(minutes=1)
DAY: Final = timedelta(days=1)
TABLES: Final = {UnitKind.DISTRICT: "各区数据采集情况", UnitKind.HOSPITAL: "医院数据采集情况"}
UNITS_PLAYED: Final = 10
"""Of each kind."""
NEVER_CARRIED: Final = "hip_unit_month_tables_declared"
"""Nobody declared anything in September 2024."""
SHOWN: Final = {"__unixEpochFrom()": f"{NOON.timestamp():.0f}", "__unixEpochTo()": f"{(NOON + DAY).timestamp():.0f}"}
"""The time that is shown, as Grafana writes it into a query."""
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
        canary = CanaryCollector(heard(), NOON)
        self.text = exposition(snapshots, MonthCollector(lambda: month, lambda: register), canary)
        DashboardWriter(self.engine, lambda: snapshot, lambda: month).write()
        judge_units(self.engine, register, overdue_feeds(snapshot.status))
        self._page()

    def _page(self) -> None:
        """Of the day that is shown: a page that was acknowledged after 5 minutes and closed by a person after 65, and one that

        ended by itself after 3, fired again and is still open. The day before: a ticket.
        """
        silent = make_alert()
        again = make_alert(fingerprint="again", labels={"unit_id": OTHER_UNIT})
        ticket = make_alert(fingerprint="ticket", labels={"alertname": "SequenceGapsOpen", "severity": "ticket"})
        self._deliver(NOON - DAY, ticket)
        self._deliver(NOON, silent, again)
        self._deliver(NOON + 3 * MINUTE, again | {"status": "resolved"})
        self._deliver(NOON + 4 * MINUTE, again)
        (number,) = [found.id for found in list_incidents(self.engine) if found.fingerprint == silent["fingerprint"]]
        assert number is not None
        with incident_book(self.engine, NOON + 5 * MINUTE) as book:
            assert book.acknowledge(number, "on duty")
        with incident_book(self.engine, NOON + 65 * MINUTE) as book:
            assert book.close(number, "on duty")
        sent = OutboxMessage(target="robot", group_key="", body="{}", created_at=NOON, due_at=NOON, state="sent")
        values = sent.model_dump(exclude={"id"}) | {"settled_at": NOON + timedelta(seconds=2)}
        with writing(self.engine) as connection:
            connection.execute(table_of(OutboxMessage).insert(), [values, values | {"state": "waiting", "settled_at": None}])

    def _deliver(self, at: datetime, *alerts: dict[str, Any]) -> None:
        record(self.engine, WebhookMessage.model_validate(make_delivery(*alerts)), at, know_nothing)


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
    chosen = {"unit": unit, "month": str(filled.period), "district": UNIT, **SHOWN}
    for variable in json.loads(text_of(name))["templating"]["list"]:
        if variable["type"] == "query" and variable["datasource"]["type"] != "prometheus":
            values = [list(row.values())[-1] for row in rows_of(filled.engine, variable["query"], chosen)]
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
        assert [found[NAME] for found in shown] == [filled.register.units[row.unit_id].name_zh for row in rows]
        for row, found in zip(rows, shown, strict=True):
            assert found.keys() == {NAME, *columns}
            for heading, column in columns.items():
                cell, value = row.cells[column.name], found[heading]
                absent = isinstance(cell, Absent) or (cell == 0 and column.name in ("outpatient_visits", "discharges"))
                assert value in (None, 0) if absent else value == cell, (row.unit_id, heading, cell, value)
                compared += 1
    assert compared > 500


def shown_by(filled: Filled, name: str, title: str) -> list[dict[str, Any]]:
    """The rows of the panel whose title begins so."""
    (panel,) = [panel for panel in panels(name) if panel["title"].startswith(title)]
    chosen = {"month": str(filled.period), "district": "luhe", **SHOWN}
    return rows_of(filled.engine, panel["targets"][0]["rawSql"], chosen)


def test_a_district_is_shown_with_the_hospitals_in_it(filled: Filled) -> None:
    units = [unit for unit in filled.register.units.values() if "luhe" in (unit.unit_id, unit.district)]
    assert len(units) == 2
    facts = read_month(filled.engine, filled.period)
    bulletin = build_bulletin(facts, filled.register)
    rows = [row for rows in bulletin.rows.values() for row in rows if filled.register.units[row.unit_id] in units]
    names = {unit.unit_id: unit.name_zh for unit in units}
    assert {found[NAME]: found["数据上传量"] for found in shown_by(filled, "district", "月报")} == {
        names[row.unit_id]: row.cells["records_uploaded"] for row in rows
    }
    assert len(shown_by(filled, "district", "单位与通道")) == len(units) * len(Feed)
    for found in shown_by(filled, "district", "表的阶梯"):
        (cells,) = [row.cells for row in rows if names[row.unit_id] == found[NAME]]
        assert (found["规定 required"], found["曾上传 ever"]) == (cells["tables_required"], cells["tables_uploaded"])
        assert found["申明 declared"] is None, "nobody declared anything in September 2024"
    (total,) = shown_by(filled, "district", "记录数")
    assert total["records"] == sum(facts.figure("records", unit.unit_id) or 0 for unit in units) > 0


def test_the_quality_of_alerts_is_that_of_the_incident_log(filled: Filled) -> None:
    def only(title: str) -> list[Any]:
        (row,) = shown_by(filled, "alerts", title)
        return list(row.values())

    assert only("未关闭的事件") == [2]
    assert only("未确认的电话级事件") == [1]
    assert only("电话级事件") == [2]
    assert only("重新打开") == [1]
    assert only("十分钟内关闭") == [0]
    assert only("确认用时") == [300]
    assert only("每日新事件") == ["2024-09-10", 2, 0, 0]
    assert only("消息") == ["robot", 1, 1, 0, 2]
    assert only("各告警") == ["UnitFeedSilent", "page", 2, 1, 0, 1, 65 * 60, 300]
    assert [list(row.values())[1:] for row in shown_by(filled, "alerts", "各单位")] == [[1, 1, 0], [1, 0, 0]]
