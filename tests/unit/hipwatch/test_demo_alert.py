"""The demo demands an alert for each unit that its month has silent although it was expected to upload, and for no other."""

from pathlib import Path

import pytest

from hipwatch.demo import silent_all_month
from hipwatch.replay import plan_of
from ingest.scenario import find_scenario, load_scenario
from schemas.period import Period
from schemas.register import Register, read_register
from tests.integration.other_city import SILENT, write_month, write_register


@pytest.mark.parametrize(
    ("name", "silent"),
    [
        ("2024-09", {"qinhuai", "eastern-theater-qinhuai-branch"}),
        ("2020-01", {"nj-occupational-disease-hospital", "cams-dermatology-institute"}),
    ],
)
def test_an_alert_is_demanded_for_the_units_that_the_month_has_silent(name: str, silent: set[str], register: Register) -> None:
    scenario = load_scenario(find_scenario(name), register, None)
    assert set(silent_all_month(scenario, plan_of(scenario, register), register)) == silent


def test_a_unit_that_the_month_does_not_list_is_not_demanded(tmp_path: Path, register: Register) -> None:
    for file in find_scenario("2024-09").iterdir():
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        (tmp_path / file.name).write_text("".join(line for line in lines if "秦淮区" not in line), encoding="utf-8")
    scenario = load_scenario(tmp_path, register, Period(2024, 9))
    assert "qinhuai" not in silent_all_month(scenario, plan_of(scenario, register), register)


def test_a_unit_that_is_paused_is_not_demanded(tmp_path: Path) -> None:
    city = read_register(write_register(tmp_path / "city"))
    scenario = load_scenario(write_month(tmp_path / "month"), city, None)
    assert set(silent_all_month(scenario, plan_of(scenario, city), city)) == set(SILENT)
