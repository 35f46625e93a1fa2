import logging
from pathlib import Path

import pytest

from schemas.errors import HipwatchError
from schemas.events import UnitId
from schemas.register import Life
from schemas.register.live import LiveRegister
from tests.registers import change_unit, copy_shipped, remove_unit

NEW = UnitId("new-hospital")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copy_shipped(tmp_path / "city")


def add_unit(folder: Path, **cells: str) -> None:
    change_unit(folder, NEW, **{"kind": "hospital", "name_zh": "新医院", **cells})


def test_a_change_is_taken_when_two_looks_have_found_it_the_same(folder: Path) -> None:
    live = LiveRegister(folder)
    before = live.state
    add_unit(folder)
    live.refresh()
    assert live.state == before, "the files may still be on their way"
    change_unit(folder, NEW, status="onboarding")
    live.refresh()
    assert live.state == before
    live.refresh()
    assert live.register.units[NEW].status is Life.ONBOARDING
    assert live.state.digest != before.digest
    assert live.state.loaded_at >= before.loaded_at


def test_a_change_that_was_asked_for_is_taken_at_once(folder: Path) -> None:
    live = LiveRegister(folder)
    add_unit(folder)
    live.refresh(at_once=True)
    assert NEW in live.register.units


def test_it_stands_where_unit_ids_are_wanted_and_is_always_up_to_date(folder: Path) -> None:
    live = LiveRegister(folder)
    assert (NEW in live, "gulou" in live, len(live)) == (False, True, 52)
    add_unit(folder)
    remove_unit(folder, "gulou")
    live.refresh(at_once=True)
    assert (NEW in live, "gulou" in live, len(live)) == (True, False, 52)
    assert set(live) == set(live.register.units)


def test_of_a_broken_change_the_last_good_register_stays(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    live = LiveRegister(folder)
    before = live.state
    whole = (folder / "units.csv").read_bytes()
    change_unit(folder, "gulou", kind="distrct")
    with caplog.at_level(logging.INFO):
        for _ in range(5):
            live.refresh()
    assert live.register is before.register
    assert live.state.problem is not None
    assert "units.csv, line 5, column kind: 'distrct' is not known" in live.state.problem
    assert [record.levelname for record in caplog.records] == ["ERROR"], "it is said once, not at every look"
    (folder / "units.csv").write_bytes(whole)
    live.refresh()
    live.refresh()
    assert live.state == before, "and what is in use is again what the files hold"


def test_a_folder_that_is_gone_is_a_problem_and_no_end(folder: Path) -> None:
    live = LiveRegister(folder)
    folder.rename(folder.with_name("elsewhere"))
    live.refresh()
    assert live.state.problem == f"there is no register folder {folder}"
    assert "gulou" in live
    folder.with_name("elsewhere").rename(folder)
    live.refresh()
    assert live.state.problem is None


def test_at_the_start_a_broken_register_is_refused(folder: Path) -> None:
    change_unit(folder, "gulou", kind="distrct")
    with pytest.raises(HipwatchError, match=r"line 5, column kind"):
        LiveRegister(folder)


def test_the_log_says_what_has_changed(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    live = LiveRegister(folder)
    add_unit(folder)
    with caplog.at_level(logging.INFO):
        live.refresh(at_once=True)
    assert "register: + unit new-hospital (新医院)" in caplog.messages
