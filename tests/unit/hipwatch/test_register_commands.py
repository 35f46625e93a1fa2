from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hipwatch.cli.main import app
from schemas.errors import HipwatchError
from tests.registers import change_unit, copy_shipped


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copy_shipped(tmp_path / "city")


def hipwatch(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_check_lists_every_problem_and_exits_1(folder: Path) -> None:
    fine = hipwatch("register", "check", folder)
    assert (fine.exit_code, fine.stdout[:13]) == (0, "ok: 52 units,")
    change_unit(folder, "gulou", status="activ")
    change_unit(folder, "xuanwu", kind="")
    found = hipwatch("register", "check", folder)
    assert found.exit_code == 1
    assert found.stdout.splitlines() == [
        f"{folder}/units.csv, line 2, column kind: is empty",
        f"{folder}/units.csv, line 5, column status: 'activ' is not known; did you mean 'active'?",
    ]


def test_show_lists_the_units_of_the_register_in_use(folder: Path) -> None:
    change_unit(folder, "gulou", status="paused", vendor="某公司", contact_role="信息科值班", contact_number="025-8300 0000")
    shown = hipwatch("register", "show", "--register", folder).stdout.splitlines()
    assert len(shown) == 1 + 52
    assert "gulou  district  鼓楼区  paused  某公司  nothing expected  11/11 forms  信息科值班 025-8300 0000" in shown
    assert hipwatch("register", "show", folder).stdout.splitlines() == shown
    assert "gulou  district  鼓楼区  active" in hipwatch("register", "show").stdout


def test_diff_compares_with_the_register_in_use(folder: Path) -> None:
    assert hipwatch("register", "diff", folder).stdout == "no difference\n"
    change_unit(folder, "gulou", status="paused")
    assert hipwatch("register", "diff", folder).stdout == "~ unit gulou (鼓楼区): status active → paused\n"
    assert hipwatch("register", "diff", folder, "--register", folder).stdout == "no difference\n"


def test_a_command_with_a_broken_register_says_the_first_problem_and_how_many_more(folder: Path) -> None:
    change_unit(folder, "gulou", status="activ", kind="")
    with pytest.raises(
        HipwatchError, match=r"units.csv, line 5, column .* \(and 1 more: 'hipwatch register check .*' lists them\)"
    ):
        CliRunner().invoke(app, ["report", "2024-09", "--register", str(folder)], catch_exceptions=False)
