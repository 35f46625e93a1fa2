"""Another city: 500 units of three kinds, 60 tables and 7 forms that nobody else has, and a month of theirs."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from schemas.period import Period

PERIOD: Final = Period(2025, 3)
TABLES: Final = {"T": 20, "H": 25, "C": 15}
"""Of all kinds, of hospitals alone, of clinics alone: 60."""
REQUIRED: Final = {"district": 20, "hospital": 45, "clinic": 35}
FORMS: Final = [f"F{number}" for number in range(1, 8)]
SILENT: Final = [f"clinic-{number}" for number in (7, 70, 170)]
"""Registered and active, and nothing comes from them."""
IN_NO_MONTH: Final = {"clinic-8": "onboarding", "clinic-9": "retired"}
PAUSED: Final = "clinic-10"
_UNITS: Final = {"district": 20, "hospital": 180, "clinic": 300}
_REALTIME: Final = 6
"""Districts of which realtime forms are expected; of nobody else they are."""
_NAMES: Final = {"district": "区", "hospital": "医院", "clinic": "社区卫生服务中心"}
_LISTED: Final = {kind: count - (len(IN_NO_MONTH) if kind == "clinic" else 0) for kind, count in _UNITS.items()}
_DAYS: Final = str(len(PERIOD.days))
CELLS: Final = _LISTED["district"] * 8 + (_LISTED["hospital"] + _LISTED["clinic"]) * 7


def write_register(folder: Path) -> Path:
    """The city's register, as Excel writes it."""
    folder.mkdir(parents=True)
    _write(folder / "kinds.csv", [["kind", "name_zh", "name_en"], ["clinic", "社区卫生服务中心", "Clinics"]])
    kinds = {"T": "both", "H": "hospital", "C": "clinic"}
    tables = [[f"{part}{n:02d}", f"表{part}{n}", kinds[part]] for part, count in TABLES.items() for n in range(1, count + 1)]
    _write(folder / "tables.csv", [["code", "name_zh", "required_for"], *tables])
    _write(folder / "forms.csv", [["code", "name_zh"], *([form, f"表单{form}"] for form in FORMS)])
    heading = ["unit_id", "kind", "name_zh", "status", "district", "feeds"]
    units = [
        [
            f"{kind}-{number}",
            kind,
            _name(kind, number),
            _status(f"{kind}-{number}"),
            _district(kind, number),
            _feeds(kind, number),
        ]
        for kind, count in _UNITS.items()
        for number in range(1, count + 1)
    ]
    _write(folder / "units.csv", [heading, *units])
    return folder


def write_month(folder: Path) -> Path:
    """A month in which every unit uploads on every day, but those that are silent, paused, onboarding or retired."""
    folder.mkdir(parents=True)
    (folder / "scenario.toml").write_text(f'period = "{PERIOD}"\n', encoding="utf-8")
    _write(folder / "collection_districts.csv", [_HEADING_2024, *(_row_2024(n) for n in range(1, _UNITS["district"] + 1))])
    for kind in ("hospital", "clinic"):
        listed = [number for number in range(1, _UNITS[kind] + 1) if f"{kind}-{number}" not in IN_NO_MONTH]
        _write(folder / f"collection_{kind}s.csv", [_HEADING_2020, *(_row_2020(kind, number) for number in listed)])
    return folder


_HEADING_2024: Final = [
    "unit", "scheduled_records", "realtime_days", "realtime_forms_uploaded", "realtime_forms_required", "outpatient_visits",
    "outpatient_revenue_kcny", "outpatient_revenue_reported", "discharges", "inpatient_revenue_kcny",
    "inpatient_revenue_reported",
]  # fmt: skip
_HEADING_2020: Final = [
    "unit", "tables_declared", "declared_feedback", "tables_required", "tables_uploaded", "records_uploaded", "upload_days",
    "outpatient_visits", "discharges",
]  # fmt: skip


def _row_2024(number: int) -> list[str]:
    days, forms = (_DAYS, str(len(FORMS))) if number <= _REALTIME else ("0", "0")
    return [_name("district", number), "310", days, forms, str(len(FORMS)), "620", "12.5", "yes", "31", "", "no"]


def _row_2020(kind: str, number: int) -> list[str]:
    required = str(REQUIRED[kind])
    if f"{kind}-{number}" in (*SILENT, PAUSED):
        return [_name(kind, number), "", "no", required, "0", "0", "0", "0", "0"]
    return [_name(kind, number), "2", "yes", required, "1", _DAYS, _DAYS, str(number), "0"]


def _status(unit_id: str) -> str:
    return "paused" if unit_id == PAUSED else IN_NO_MONTH.get(unit_id, "")


def _district(kind: str, number: int) -> str:
    return "" if kind == "district" else f"district-{number % _UNITS['district'] + 1}"


def _feeds(kind: str, number: int) -> str:
    return "scheduled;realtime" if kind == "district" and number <= _REALTIME else "scheduled"


def _name(kind: str, number: int) -> str:
    return f"第{number}{_NAMES[kind]}"


def _write(path: Path, rows: Sequence[Sequence[str]]) -> None:
    with path.open("w", encoding="gb18030", newline="") as file:
        csv.writer(file, lineterminator="\r\n").writerows(rows)
