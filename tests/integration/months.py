"""Months that nobody has ever printed: random figures for random units, in both forms, as the files of a scenario."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from ingest.scenario import load_scenario
from ingest.simulator import FaultCounts, events, inject, make_plan
from schemas.bulletin.columns import Form
from schemas.bulletin.printed_month import FILES
from schemas.period import Period
from schemas.register import Unit, UnitKind, load_register

REGISTER: Final = load_register()
PERIOD: Final = Period(2023, 2)
KINDS: Final = (UnitKind.DISTRICT, UnitKind.HOSPITAL)
OLD: Final = dict.fromkeys(KINDS, Form.Y2020)
NEW: Final = dict.fromkeys(KINDS, Form.Y2024)
_DAYS: Final = len(PERIOD.days)
_REQUIRED: Final = {UnitKind.DISTRICT: "129", UnitKind.HOSPITAL: "83"}
_COLUMNS: Final = {
    (Form.Y2020, UnitKind.DISTRICT): 10,
    (Form.Y2020, UnitKind.HOSPITAL): 7,
    (Form.Y2024, UnitKind.DISTRICT): 8,
    (Form.Y2024, UnitKind.HOSPITAL): 8,
}
"""Printed cells of a row, flags not counted, as the two bulletins print them."""

Row = dict[str, str]


@dataclass(frozen=True)
class RandomMonth:
    """A scenario folder and how many cells it prints."""

    folder: Path
    cells: int


def write_month(
    folder: Path, seed: int, forms: Mapping[UnitKind, Form], units: int, *, faults: Mapping[str, float] | None = None
) -> RandomMonth:
    """Write a scenario of about `units` units of each kind. The first rows are the awkward ones, then chance has its way."""
    random = Random(seed)
    folder.mkdir(parents=True)
    cells = 0
    for kind, form in forms.items():
        chosen = random.sample([unit for unit in REGISTER.units.values() if unit.kind is kind], units)
        awkward = _AWKWARD_2020 if form is Form.Y2020 else _AWKWARD_2024
        rows = [
            _row(form, kind, _name(unit, random), awkward[place] if place < len(awkward) else _figures(form, kind, random))
            for place, unit in enumerate(chosen)
        ]
        _write(folder / FILES[kind], rows)
        cells += len(rows) * _COLUMNS[form, kind]
    if faults is not None:
        lines = [f"seed = {seed}", "[faults]", *(f"{name} = {share}" for name, share in faults.items())]
        (folder / "scenario.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return RandomMonth(folder, cells)


def truth_of(folder: Path) -> FaultCounts:
    """What a reader of the scenario's messages will find, by the simulator's own account."""
    scenario = load_scenario(folder, REGISTER, PERIOD)
    plan = make_plan(scenario.month, PERIOD, REGISTER, seed=scenario.seed, records_per_event=scenario.records_per_event)
    stream = inject(events(plan), scenario.faults, scenario.seed)
    for _ in stream:
        pass
    return stream.counts


def _name(unit: Unit, random: Random) -> str:
    """Any name that the register knows: Chinese, English or a former one."""
    return random.choice(unit.names)


_SILENT_2020: Final[Row] = dict.fromkeys(
    ("tables_uploaded", "records_uploaded", "upload_days", "outpatient_visits", "discharges"), "0"
)
_AWKWARD_2020: Final[Sequence[Row]] = (
    {**_SILENT_2020, "tables_declared": "未反馈"},
    {**_SILENT_2020, "tables_declared": "0", "tables_uploaded": "34", "health_records_base": "0"},
    {**_SILENT_2020, "tables_declared": "3", "tables_uploaded": "1", "records_uploaded": "1", "upload_days": "1"},
    {**_SILENT_2020, "tables_declared": "", "outpatient_visits": "7", "discharges": "1", "health_records_diabetes": "9"},
)
"""Silent and never declared; tables from before but nothing now; a single record; visits without a single record."""
_SILENT_2024: Final[Row] = dict.fromkeys(
    ("scheduled_records", "realtime_days", "realtime_forms_uploaded", "outpatient_visits", "discharges"), "0"
)
_REVENUE_NIL: Final[Row] = {"outpatient_revenue_kcny": "/", "inpatient_revenue_kcny": "0"}
_AWKWARD_2024: Final[Sequence[Row]] = (
    {**_SILENT_2024, "outpatient_revenue_kcny": "/", "inpatient_revenue_kcny": "/"},
    {**_SILENT_2024, "outpatient_revenue_kcny": "0", "inpatient_revenue_kcny": "0.01"},
    {**_SILENT_2024, "scheduled_records": "1", "outpatient_revenue_kcny": "", "inpatient_revenue_kcny": "84806.08"},
    {
        **_SILENT_2024,
        "realtime_days": "1",
        "realtime_forms_uploaded": "11",
        "outpatient_revenue_kcny": "/",
        "inpatient_revenue_kcny": "0",
    },
)
"""Silent; a reported 0 and a single fen without a record; one record that carries revenue; all forms on a single day."""


def _figures(form: Form, kind: UnitKind, random: Random) -> Row:
    records = random.choice((0, random.randint(1, 60), random.randint(10**3, 10**5), random.randint(10**5, 10**6)))
    visits, discharges = (str(random.choice((0, random.randint(1, 500_000)))) for _ in range(2))
    if form is Form.Y2024:
        days = random.choice((0, 1, random.randint(1, _DAYS), _DAYS))
        return {
            "scheduled_records": str(records),
            "realtime_days": str(days),
            "realtime_forms_uploaded": str(random.randint(1, 11) if days else 0),
            "outpatient_visits": visits,
            "outpatient_revenue_kcny": _amount(random),
            "discharges": discharges,
            "inpatient_revenue_kcny": _amount(random),
        }
    size = int(_REQUIRED[kind])
    return {
        "tables_declared": random.choice(("未反馈", "", "0", str(random.randint(1, size)), str(size))),
        "tables_uploaded": str(random.randint(1 if records else 0, size)),
        "records_uploaded": str(records),
        "upload_days": str(random.randint(1, min(records, _DAYS)) if records else 0),
        "outpatient_visits": visits,
        "discharges": discharges,
        "health_records_base": random.choice(("", "0", str(random.randint(1, 10**6)))),
        "health_records_hypertension": random.choice(("", "0", str(random.randint(1, 10**5)))),
        "health_records_diabetes": random.choice(("", str(random.randint(1, 10**5)))),
    }


def _amount(random: Random) -> str:
    cents = random.choice((0, random.randint(1, 10**6)))
    return random.choice(("/", "", f"{cents}", f"{cents // 10}.{cents % 10}", f"{cents // 100}.{cents % 100:02d}"))


def _row(form: Form, kind: UnitKind, name: str, figures: Row) -> Row:
    row = {"unit": name, **figures}
    if form is Form.Y2020:
        row["tables_required"] = _REQUIRED[kind]
        row["declared_feedback"] = "no" if row["tables_declared"] in ("未反馈", "") else "yes"
        for column in ("health_records_base", "health_records_hypertension", "health_records_diabetes"):
            if kind is UnitKind.DISTRICT:
                row.setdefault(column, "")
            else:
                row.pop(column, None)
    else:
        row["realtime_forms_required"] = "11"
        for side in ("outpatient", "inpatient"):
            row[f"{side}_revenue_reported"] = "no" if row[f"{side}_revenue_kcny"] in ("/", "") else "yes"
    return row


def _write(path: Path, rows: Sequence[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
