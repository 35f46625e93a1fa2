"""Bulletins for tests, made of cells instead of events."""

from decimal import Decimal
from typing import Final

from monitor.bulletin.rows import Bulletin, BulletinRow
from schemas.bulletin.columns import Absent, Cell, Form
from schemas.events import UnitId
from schemas.period import Period
from schemas.register import UnitKind
from tests.factories import HOSPITAL, UNIT

CELLS: Final[dict[str, Cell]] = {
    "tables_declared": 52,
    "tables_required": 129,
    "tables_uploaded": 51,
    "records_uploaded": 4_492_052,
    "scheduled_records": 4_492_052,
    "upload_days": 31,
    "outpatient_visits": 79_240,
    "discharges": 0,
    "health_records_base": 931_805,
    "health_records_hypertension": 0,
    "health_records_diabetes": Absent.EMPTY,
    "realtime_days": 30,
    "realtime_forms_uploaded": 10,
    "realtime_forms_required": 11,
    "outpatient_revenue_kcny": Decimal("120679.34"),
    "inpatient_revenue_kcny": Absent.NOT_REPORTED,
}


def make_bulletin(form: Form = Form.Y2024, **cells: Cell) -> Bulletin:
    """One district with CELLS and `cells`, and one hospital that never said anything."""
    silent: dict[str, Cell] = {
        **dict.fromkeys(CELLS, 0),
        "tables_declared": Absent.NOT_DECLARED,
        "tables_required": 83,
        "realtime_forms_required": 11,
        "outpatient_revenue_kcny": Absent.NOT_REPORTED,
        "inpatient_revenue_kcny": Absent.NOT_REPORTED,
    }
    assert cells.keys() <= CELLS.keys()
    rows = {
        UnitKind.DISTRICT: [BulletinRow(UnitId(UNIT), {**CELLS, **cells})],
        UnitKind.HOSPITAL: [BulletinRow(UnitId(HOSPITAL), silent)],
    }
    return Bulletin(Period(2024, 9), form, rows)
