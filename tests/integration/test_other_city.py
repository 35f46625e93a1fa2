"""A register of one's own: 500 units, 60 tables and 7 forms play a month of theirs, alerts included."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.integration.other_city import CELLS, IN_NO_MONTH, PAUSED, SILENT, write_month, write_register
from tests.integration.stack import Home, program


def never_seen(incidents: Sequence[Mapping[str, Any]]) -> set[str]:
    """The units of which an alert that came to the webhook says that they were never seen."""
    return {incident["unit_id"] for incident in incidents if incident["alertname"] == "UnitNeverSeen"}


def test_a_city_of_500_units_has_its_month_and_its_silent_units_stand_out(home: Home, tmp_path: Path) -> None:
    register, month = write_register(tmp_path / "city"), write_month(tmp_path / "month")
    checked = home.run("register", "check", register)
    assert checked.out.startswith(
        "ok: 500 units, 497 of them active (20 districts with 20 tables each, 180 hospitals with 45 tables each"
    )

    program("prometheus")
    program("prometheus-alertmanager", "alertmanager")
    settings = {"HIPWATCH_REGISTER": str(register)}
    demo = home.run("demo", "--period", month, "--once", "--day-seconds", "1", settings=settings, seconds=400)
    assert demo.code == 0, demo.told
    assert demo.out.splitlines()[-3:] == [
        f"cells matched {CELLS}/{CELLS}",
        "alert for 第7社区卫生服务中心、第70社区卫生服务中心、第170社区卫生服务中心: delivered to the webhook",
        "no unit that uploaded on every day was ever reported",
    ]
    incidents = json.loads(home.run("incidents", "--json", settings=settings).out)
    assert never_seen(incidents) == set(SILENT), "of who is paused, onboarding or retired nothing is expected"

    report = json.loads(home.run("report", "2025-03", "--format", "json", "--form", "2020", settings=settings).out)
    assert [len(report[f"{kind}s"]) for kind in ("district", "hospital", "clinic")] == [20, 180, 298]
    listed = {row["unit_id"] for row in report["clinics"]}
    assert not listed & set(IN_NO_MONTH)
    assert {PAUSED, *SILENT} <= listed
    assert {row["tables_required"] for row in report["clinics"]} == {35}


def test_a_ledger_of_one_register_that_is_opened_with_another_says_so(home: Home, tmp_path: Path) -> None:
    register, month = write_register(tmp_path / "city"), write_month(tmp_path / "month")
    small = tmp_path / "small"
    small.mkdir()
    for path in month.iterdir():
        kept = path.read_bytes().splitlines(keepends=True)[:2]
        (small / path.name).write_bytes(b"".join(kept))
    replay = home.run("replay", small, "--register", register, "--verify", "--database", home.database)
    assert replay.code == 0, replay.told
    report = home.run("report", "2025-03", "--database", home.database)
    assert "units that the register does not have" in report.err, report.told
