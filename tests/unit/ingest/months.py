"""Printed months for tests, made of rows instead of files."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from ingest.simulator import Plan, make_plan
from schemas.bulletin.columns import Absent, Cell, Form
from schemas.bulletin.printed_month import PrintedMonth, PrintedRow, PrintedTable
from schemas.events import UnitId
from schemas.period import Period
from schemas.register import UnitKind, load_register

REGISTER = load_register()
DISTRICTS, HOSPITALS = (
    [unit.unit_id for unit in REGISTER.units.values() if unit.kind is kind] for kind in (UnitKind.DISTRICT, UnitKind.HOSPITAL)
)
PERIOD = Period(2024, 2)
_EMPTY_2020: Mapping[str, Cell] = {
    "tables_declared": Absent.NOT_DECLARED,
    "tables_required": 129,
    "tables_uploaded": 0,
    "records_uploaded": 0,
    "upload_days": 0,
    "outpatient_visits": 0,
    "discharges": 0,
    "health_records_base": Absent.EMPTY,
    "health_records_hypertension": Absent.EMPTY,
    "health_records_diabetes": Absent.EMPTY,
}
_EMPTY_2024: Mapping[str, Cell] = {
    "scheduled_records": 0,
    "realtime_days": 0,
    "realtime_forms_uploaded": 0,
    "realtime_forms_required": 11,
    "outpatient_visits": 0,
    "outpatient_revenue_kcny": Absent.NOT_REPORTED,
    "discharges": 0,
    "inpatient_revenue_kcny": Absent.NOT_REPORTED,
}


def make_row(form: Form, unit_id: UnitId = DISTRICTS[0], line: int = 2, **cells: Cell) -> PrintedRow:
    """A row in which everything is 0 or absent, except for `cells`."""
    return fill_row(form, unit_id, line, cells)


def fill_row(form: Form, unit_id: UnitId, line: int, cells: Mapping[str, Cell]) -> PrintedRow:
    empty = _EMPTY_2020 if form is Form.Y2020 else _EMPTY_2024
    assert cells.keys() <= empty.keys(), "no such column"
    return PrintedRow(unit_id, line, {**empty, **cells})


def make_month(form: Form, districts: Sequence[PrintedRow] = (), hospitals: Sequence[PrintedRow] = ()) -> PrintedMonth:
    return PrintedMonth(
        {
            UnitKind.DISTRICT: PrintedTable(UnitKind.DISTRICT, form, districts, "districts.csv"),
            UnitKind.HOSPITAL: PrintedTable(UnitKind.HOSPITAL, form, hospitals, "hospitals.csv"),
        }
    )


def plan_of(month: PrintedMonth, period: Period = PERIOD, *, seed: int = 1, records_per_event: int = 10_000) -> Plan:
    return make_plan(month, period, REGISTER, seed=seed, records_per_event=records_per_event)


SMALL_2024 = make_month(
    Form.Y2024,
    [
        make_row(
            Form.Y2024,
            DISTRICTS[0],
            scheduled_records=3000,
            realtime_days=20,
            realtime_forms_uploaded=11,
            outpatient_visits=700,
            outpatient_revenue_kcny=Decimal("1234.56"),
            discharges=3,
            inpatient_revenue_kcny=Decimal(0),
        )
    ],
    [make_row(Form.Y2024, HOSPITALS[0], scheduled_records=900, realtime_days=1, realtime_forms_uploaded=3)],
)
SMALL_2020 = make_month(
    Form.Y2020,
    [
        make_row(
            Form.Y2020,
            DISTRICTS[1],
            tables_declared=20,
            tables_uploaded=30,
            records_uploaded=2000,
            upload_days=25,
            outpatient_visits=5000,
            discharges=40,
            health_records_base=80_000,
            health_records_hypertension=0,
        )
    ],
    [make_row(Form.Y2020, HOSPITALS[1], tables_declared=0, tables_uploaded=34)],
)
