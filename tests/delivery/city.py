"""A made-up city around Nanjing's districts: with 108 hospitals it is large enough for a storm that is no outage of all."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from schemas.period import Period
from schemas.register import UnitKind, load_register

PERIOD: Final = Period(2025, 3)
"""31 days without a public holiday."""
HOSPITALS: Final = {f"hospital-{number}": f"第{number}医院" for number in range(1, 109)}
_TABLES: Final = 3
_FORMS: Final = 3
_FIGURES: Final = {
    "scheduled_records": "310",
    "realtime_days": str(len(PERIOD.days)),
    "realtime_forms_uploaded": str(_FORMS),
    "realtime_forms_required": str(_FORMS),
    "outpatient_visits": "620",
    "outpatient_revenue_kcny": "12.5",
    "outpatient_revenue_reported": "yes",
    "discharges": "31",
    "inpatient_revenue_kcny": "",
    "inpatient_revenue_reported": "no",
}


def districts() -> dict[str, str]:
    """The names of the city's districts by id: those of the register that ships, 秦淮区 among them."""
    return {unit.unit_id: unit.name_zh for unit in load_register().units.values() if unit.kind == UnitKind.DISTRICT}


def write_register(folder: Path) -> Path:
    """The city's register. Hospitals belong to no district and no vendor: what some of them share is chance."""
    folder.mkdir(parents=True)
    _write(folder / "tables.csv", [["code", "name_zh", "required_for"], *([f"T{n}", f"表{n}", "both"] for n in range(_TABLES))])
    _write(folder / "forms.csv", [["code", "name_zh"], *([f"F{n}", f"表单{n}"] for n in range(_FORMS))])
    units = [(unit, "district", name) for unit, name in districts().items()]
    units += [(unit, "hospital", name) for unit, name in HOSPITALS.items()]
    rows = [[unit, kind, name, "scheduled;realtime"] for unit, kind, name in units]
    _write(folder / "units.csv", [["unit_id", "kind", "name_zh", "feeds"], *rows])
    return folder


def write_month(folder: Path) -> Path:
    """A month in which every unit sends on both feeds on every day."""
    folder.mkdir(parents=True)
    (folder / "scenario.toml").write_text(f'period = "{PERIOD}"\n', encoding="utf-8")
    for kind, names in (("districts", districts()), ("hospitals", HOSPITALS)):
        rows = [[name, *_FIGURES.values()] for name in names.values()]
        _write(folder / f"collection_{kind}.csv", [["unit", *_FIGURES], *rows])
    return folder


def _write(path: Path, rows: Sequence[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
