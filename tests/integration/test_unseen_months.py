"""Months that nobody has seen: whatever a scenario folder prints, its events add up to it, with and without faults."""

import csv
import re
from collections.abc import Mapping
from pathlib import Path
from shutil import copytree

import pytest

from schemas.bulletin.columns import Form
from schemas.register import UnitKind
from tests.integration.ledgers import counters
from tests.integration.months import NEW, OLD, REGISTER, truth_of, write_month
from tests.integration.stack import Ended, Home

MIXED = {UnitKind.DISTRICT: Form.Y2020, UnitKind.HOSPITAL: Form.Y2024}
FAULTS = {"duplicates": 0.02, "reordered": 0.02, "gaps": 0.02, "poison": 0.02}


def replayed(home: Home, folder: Path, *options: str) -> Ended:
    return home.run("replay", folder, "--period", "2023-02", "--verify", *options)


@pytest.mark.parametrize(
    ("seed", "forms", "options"),
    [(20, OLD, ()), (24, NEW, ("--workers", "3")), (7, MIXED, ("--records-per-event", "700"))],
    ids=["form of 2020", "form of 2024, three workers", "both forms, small events"],
)
def test_every_cell_of_a_random_month_is_counted(
    home: Home, tmp_path: Path, seed: int, forms: Mapping[UnitKind, Form], options: tuple[str, ...]
) -> None:
    month = write_month(tmp_path / "month", seed, forms, units=7)
    replay = replayed(home, month.folder, *options)
    assert replay.code == 0, replay.told
    assert replay.last_line == f"cells matched {month.cells}/{month.cells}"


@pytest.mark.parametrize(
    ("seed", "forms", "workers"), [(31, OLD, "3"), (32, NEW, "1")], ids=["form of 2020, three workers", "form of 2024"]
)
def test_repeated_swapped_late_and_broken_messages_change_no_cell_and_are_counted_exactly(
    home: Home, tmp_path: Path, seed: int, forms: Mapping[UnitKind, Form], workers: str
) -> None:
    month = write_month(tmp_path / "month", seed, forms, units=7, faults=FAULTS)
    truth = truth_of(month.folder)
    assert min(truth.duplicates, truth.reordered, truth.gaps_opened, truth.dead_letters.total()) > 20, "the faults are there"

    replay = replayed(home, month.folder, "--workers", workers)

    assert replay.code == 0, replay.told
    assert replay.last_line == f"cells matched {month.cells}/{month.cells}"
    assert re.search(rf"\b{truth.messages} messages published", replay.out), "nothing was left out on the way"
    found = counters(home.latest_ledger)
    assert (found.accepted, found.duplicates) == (truth.accepted, truth.duplicates)
    assert (found.skipped, found.filled, found.open_numbers) == (truth.gaps_opened, truth.gaps_filled, 0)
    assert found.dead_letters == {str(reason): count for reason, count in truth.dead_letters.items()}


def test_a_month_of_districts_alone_and_of_one_unit_is_a_month(home: Home, tmp_path: Path) -> None:
    month = write_month(tmp_path / "month", 5, NEW, units=1)
    hospitals = month.folder / "collection_hospitals.csv"
    hospitals.write_text(hospitals.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    replay = replayed(home, month.folder)
    assert replay.code == 0, replay.told
    assert replay.last_line == "cells matched 8/8"


def test_one_digit_changed_in_a_print_is_found_and_named(home: Home, tmp_path: Path) -> None:
    month = write_month(tmp_path / "month", 41, OLD, units=5)
    other = Path(copytree(month.folder, tmp_path / "other"))
    hospitals = other / "collection_hospitals.csv"
    with hospitals.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    place = rows[0].index("tables_uploaded")
    assert rows[2][place] == "34"
    rows[2][place] = "35"
    with hospitals.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    unit = REGISTER.unit_named(rows[2][0])
    assert unit is not None

    replay = home.run("replay", month.folder, "--period", "2023-02", "--expect", other)

    assert replay.code == 1, replay.told
    *_, difference, last = replay.out.splitlines()
    assert last == f"cells matched {month.cells - 1}/{month.cells}"
    assert difference == f"{unit.name_zh} ({unit.unit_id}), tables_uploaded 已上传表（CDA文档）: printed '35', counted '34'"
