"""A past month in a real Prometheus by the commands of docs/operations.md, and what the dashboards show of it at its dates."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import pytest

from ingest.scenario import find_scenario, load_scenario
from monitor.bulletin.build import build_bulletin
from monitor.judgement.judge import take_snapshot
from monitor.judgement.rhythms import Rhythms
from monitor.ledger.append import Ledger
from monitor.ledger.database import Engine, closing_engine, open_database
from monitor.ledger.flips import read_flips
from monitor.ledger.month import read_month
from ops.grafana.__main__ import text_of
from schemas.clock import start_of_day
from schemas.period import Period
from schemas.register import Register
from tests.conftest import prepare
from tests.contract.test_reading import advance
from tests.ops.test_delivery import free_port, get_json, is_ready
from tests.ops.tools import OPS, program
from tests.played_months import play
from tests.services.process import ServiceProcess

EARLIER_MONTH, MONTH = Period(2020, 1), Period(2024, 9)
BEGIN: Final = start_of_day(MONTH.first)
END: Final = start_of_day(MONTH.next().first) - timedelta(seconds=1)
UNITS_PLAYED: Final = 6
"""Of each kind."""
STOPPED_AFTER: Final = timedelta(days=18)
"""From then on the first of them sends nothing."""
NO_PAST: Final = {
    "缺号 · Sequence numbers missing",
    "平台时钟停滞 · Platform clock stands still for",
    "每小时事件 · Events counted per hour",
    "定时上传距截止 · Scheduled: time left",
    "实时上传距截止 · Realtime: time left",
    "声明表 · Declared",  # nobody declared anything in September 2024
}
"""Panels of which the documents say that a past month has nothing for them."""


def documented() -> list[list[str]]:
    """The three commands, as they stand there."""
    section = (
        (OPS.parent / "docs" / "operations.md").read_text(encoding="utf-8").partition("## A past month on the dashboards\n")[2]
    )
    (block,) = re.findall(r"```sh\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    commands = [line.split() for line in block.splitlines()]
    assert [command[0] for command in commands] == ["hipwatch", "promtool", "prometheus"]
    return commands


def played(url: str, folder: Path, register: Register, period: Period, units: int) -> Engine:
    """The ledger of a month in which the first `units` of each kind sent what they sent, but for one that stopped; its blocks."""
    engine = open_database(url, create=True)
    ledger = prepare(Ledger(engine, register.units))
    of_kind = [[unit.unit_id for unit in register.units_of(period) if unit.kind is kind] for kind in register.kinds]
    chosen = [unit_id for unit_ids in of_kind for unit_id in unit_ids[:units]]
    scenario = load_scenario(find_scenario(str(period)), register)
    play(ledger, scenario, register, chosen, {chosen[0]: start_of_day(period.first) + STOPPED_AFTER})
    advance(ledger, start_of_day(period.next().first) + timedelta(hours=3))
    take_snapshot(engine, register, Rhythms())  # as serve does: it finds who is silent
    history, promtool, _ = ([word.replace("2020-01", str(period)) for word in command] for command in documented())
    shell = [[sys.executable, "-m", "hipwatch", *history[1:], "--database", url], [program("promtool"), *promtool[1:]]]
    for command in shell:
        environment = os.environ | {"PYTHONPATH": str(OPS.parent)}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return engine


@dataclass(frozen=True)
class Told:
    """The ledger of the latter month, and the address of a Prometheus that shows both."""

    engine: Engine
    address: str

    def ask(self, expr: str, at: datetime) -> list[dict[str, Any]]:
        return self._result("query", query=expr, time=at.timestamp())

    def ask_range(self, expr: str, since: datetime, until: datetime) -> list[dict[str, Any]]:
        """As a panel does that shows the whole month."""
        return self._result("query_range", query=expr, start=since.timestamp(), end=until.timestamp(), step=3600)

    def _result(self, call: str, **words: Any) -> list[dict[str, Any]]:
        answer = get_json(f"{self.address}/api/v1/{call}?{urlencode(words)}")
        assert answer["status"] == "success", answer
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, register: Register) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("history")
    played(f"sqlite:///{folder / 'earlier.db'}", folder, register, EARLIER_MONTH, 1).dispose()
    engine = played(f"sqlite:///{folder / 'ledger.db'}", folder, register, MONTH, UNITS_PLAYED)
    port = free_port()
    options = [word.replace("=history", f"={folder / 'history'}").replace(":9092", f":{port}") for word in documented()[2][1:]]
    process = ServiceProcess("prometheus", [program("prometheus"), *options], folder / "prometheus.log")
    address = f"http://127.0.0.1:{port}"
    process.start(lambda: is_ready(address))
    try:
        with closing_engine(engine):
            yield Told(engine, address)
    finally:
        process.kill()


def panels(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(text_of(name))["panels"]
    return found


@pytest.mark.parametrize("name", ["city", "unit"])
def test_every_panel_shows_the_past_month_but_those_that_the_page_names(name: str, told: Told) -> None:
    unit = told.ask("hip_unit_month_discharges", END)[0]["metric"]["unit_id"]
    silent = told.ask('hip_feed_condition{condition="silent"}', END)[0]["metric"]["unit_id"]
    for panel in panels(name):
        chosen = silent if panel["type"] == "state-timeline" else unit
        for target in panel["targets"]:
            expr = target["expr"].replace("$unit", chosen)
            found = told.ask(expr, END) if target.get("instant") else told.ask_range(expr, BEGIN, END)
            assert bool(found) is (panel["title"] not in NO_PAST), f"{panel['title']}: {expr}"


def test_the_units_numbers_at_the_months_end_are_the_reports(told: Told, register: Register) -> None:
    bulletin = build_bulletin(read_month(told.engine, MONTH), register)
    columns = {"规定表": "tables_required", "曾上传表": "tables_uploaded", "上传天数": "upload_days", "实时天数": "realtime_days"}
    compared = 0
    for rows in bulletin.rows.values():
        for row in rows:
            for title, column in columns.items():
                (panel,) = [panel for panel in panels("unit") if panel["title"].startswith(title)]
                (found,) = told.ask(panel["targets"][0]["expr"].replace("$unit", row.unit_id), END)
                assert float(found["value"][1]) == row.cells[column], (row.unit_id, title)
                compared += row.cells[column] != 0
    assert compared > len(register.units)


def test_the_lines_of_a_unit_grow_through_the_month(told: Told) -> None:
    (panel,) = [panel for panel in panels("unit") if panel["title"].startswith("本月记录累计")]
    facts = read_month(told.engine, MONTH)
    unit_id, records = max(facts.figures["records"].items(), key=lambda one: one[1])
    (line,) = told.ask_range(panel["targets"][0]["expr"].replace("$unit", unit_id), BEGIN, END)
    values = [float(value) for _, value in line["values"]]
    assert len(values) == (len(MONTH.days) - 1) * 24, "from the end of the first day on it has no hole"
    assert values == sorted(values)
    assert len(set(values)) > 20
    (last,) = told.ask(panel["targets"][0]["expr"].replace("$unit", unit_id), END)
    assert float(last["value"][1]) == records


def test_who_was_silent_is_shown_on_the_days_on_which_it_was(told: Told) -> None:
    flips = read_flips(told.engine)
    assert flips
    number, table = panels("city")[0], panels("city")[4]
    for day in MONTH.days:
        moment = start_of_day(day) + timedelta(days=1) - timedelta(seconds=1)
        silent = [flip for flip in flips if flip.started_at < moment and (flip.ended_at is None or flip.ended_at > moment)]
        (count,) = told.ask(number["targets"][0]["expr"], moment)
        assert float(count["value"][1]) == len(silent)
        shown = {
            (one["metric"]["unit_id"], one["metric"]["feed"]): float(one["value"][1])
            for one in told.ask(table["targets"][0]["expr"], moment)
        }
        assert shown == {(f.unit_id, f.feed): pytest.approx((moment - f.started_at).total_seconds(), abs=1) for f in silent}


def test_months_of_years_ago_are_kept_beside_each_other(told: Told) -> None:
    for period in (EARLIER_MONTH, MONTH):
        noon = start_of_day(period.days[9]) + timedelta(hours=12)
        (start,) = told.ask("hip_month_start_timestamp_seconds", noon)
        assert float(start["value"][1]) == start_of_day(period.first).timestamp()
        assert told.ask("hip_unit_month_records > 0", noon)
