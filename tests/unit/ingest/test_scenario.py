import shutil
from pathlib import Path

import pytest

from ingest.scenario import RECORDS_PER_EVENT, SHIPPED, find_scenario, load_scenario, shipped_scenarios
from ingest.simulator import Faults
from schemas.errors import HipwatchError
from schemas.period import Period
from schemas.register import load_register

REGISTER = load_register()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED / "2024-09", tmp_path / "autumn"))


def test_a_shipped_scenario_is_found_by_its_name() -> None:
    assert shipped_scenarios() == ["2020-01", "2024-09"]
    assert load_scenario(find_scenario("2020-01"), REGISTER).period == Period(2020, 1)


def test_a_folder_is_found_by_its_path(folder: Path) -> None:
    assert find_scenario(str(folder)) == folder


@pytest.mark.parametrize("name", ["", "2023-09", "no/such/folder", "x" * 5000, "a\0b"])
def test_an_unknown_scenario_is_refused_with_what_there_is(name: str) -> None:
    with pytest.raises(HipwatchError, match="shipped are 2020-01, 2024-09"):
        find_scenario(name)


def test_without_settings_the_defaults_hold() -> None:
    scenario = load_scenario(find_scenario("2024-09"), REGISTER)
    assert (scenario.name, scenario.day_seconds, scenario.records_per_event) == ("2024-09", None, RECORDS_PER_EVENT)
    assert scenario.faults == Faults()


def test_settings_are_read(folder: Path) -> None:
    (folder / "scenario.toml").write_text(
        'period = "2024-10"\nseed = 7\nday_seconds = 60\nrecords_per_event = 5\n[faults]\nholes = 0.25\npoison = 1\n'
    )
    scenario = load_scenario(folder, REGISTER)
    assert (scenario.name, scenario.period, scenario.seed) == ("autumn", Period(2024, 10), 7)
    assert (scenario.day_seconds, scenario.records_per_event) == (60.0, 5)
    assert scenario.faults == Faults(gaps=0.25, poison=1.0)


def test_the_period_asked_for_goes_before_the_stated_one_and_that_before_the_folders_name(folder: Path) -> None:
    with pytest.raises(HipwatchError, match="--period"):
        load_scenario(folder, REGISTER)
    named = folder.rename(folder.parent / "2024-09")
    assert load_scenario(named, REGISTER).period == Period(2024, 9)
    (named / "scenario.toml").write_text('period = "2024-08"')
    assert load_scenario(named, REGISTER).period == Period(2024, 8)
    assert load_scenario(named, REGISTER, Period(2024, 7)).period == Period(2024, 7)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("speed = 1", "key speed: there is no such key"),
        ("[faults]\ngapz = 1", r"key faults\.gapz: there is no such key"),
        ("faults = 3", "key faults: must be a table"),
        ("seed = true", "key seed: must be a valid integer"),
        ("seed = -1", "key seed: must be greater than or equal to 0"),
        ("seed = 1.0", "key seed: must be a valid integer"),
        ("records_per_event = 0", "key records_per_event: must be greater than or equal to 1"),
        ('records_per_event = "many"', "key records_per_event: must be a valid integer"),
        ("day_seconds = 0", "key day_seconds: must be greater than or equal to 0.001"),
        ("day_seconds = nan", "key day_seconds: must be a finite number"),
        ("day_seconds = inf", "key day_seconds: must be a finite number"),
        ("day_seconds = false", "key day_seconds: must be a valid number"),
        ("period = 202409", "key period: must be a valid string"),
        ('period = "2024-13"', "key period: '2024-13' is not a period"),
        ("[faults]\npoison = 1.5", r"key faults\.poison: must be less than or equal to 1"),
        ("[faults]\nholes = 0.6\nduplicates = 0.6", "key faults: .* together at most 1"),
        ("seed = 1\nday_seconds = = 2", r"scenario\.toml, line 2, column 15: Invalid value"),
        ('seed = 1\nperiod = "', r"scenario\.toml, line 2, column 11: Unterminated string"),
    ],
)
def test_wrong_settings_are_refused_with_file_and_place(folder: Path, text: str, message: str) -> None:
    (folder / "scenario.toml").write_text(text)
    with pytest.raises(HipwatchError, match=message) as refused:
        load_scenario(folder, REGISTER, Period(2024, 9))
    assert "scenario.toml" in str(refused.value)


def test_settings_that_are_not_utf_8_are_refused(folder: Path) -> None:
    (folder / "scenario.toml").write_bytes(b"# \xff")
    with pytest.raises(HipwatchError, match=r"scenario\.toml, byte 2: not UTF-8"):
        load_scenario(folder, REGISTER)


def test_a_folder_without_tables_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HipwatchError):
        load_scenario(tmp_path, REGISTER, Period(2024, 9))
