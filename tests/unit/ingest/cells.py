"""An independent reading of events: plain sums per printed cell, by the definitions of the bulletin."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from schemas.bulletin.columns import CENTS_PER_KCNY, Absent, Cell
from schemas.bulletin.printed_month import PrintedMonth
from schemas.events import CdaDocuments, Declaration, Event, HealthRecords, RealtimeForms, UnitId
from schemas.period import Period

NOT_SIMULATED = {"tables_required", "realtime_forms_required"}
Cells = dict[tuple[UnitId, str], Cell]


class _Unit:
    def __init__(self) -> None:
        self.declared: set[str] | None = None
        self.tables: set[str] = set()
        self.records = 0
        self.upload_days: set[date] = set()
        self.visits = 0
        self.discharges = 0
        self.outpatient: int | None = None
        self.inpatient: int | None = None
        self.realtime_days: set[date] = set()
        self.forms: set[str] = set()
        self.health: tuple[date, int | None, int | None, int | None] | None = None

    def cell(self, column: str) -> Cell:
        cells: Mapping[str, Cell] = {
            "tables_declared": Absent.NOT_DECLARED if self.declared is None else len(self.declared),
            "tables_uploaded": len(self.tables),
            "records_uploaded": self.records,
            "scheduled_records": self.records,
            "upload_days": len(self.upload_days),
            "outpatient_visits": self.visits,
            "discharges": self.discharges,
            "outpatient_revenue_kcny": _amount(self.outpatient),
            "inpatient_revenue_kcny": _amount(self.inpatient),
            "realtime_days": len(self.realtime_days),
            "realtime_forms_uploaded": len(self.forms),
            "health_records_base": self._health(1),
            "health_records_hypertension": self._health(2),
            "health_records_diabetes": self._health(3),
        }
        return cells[column]

    def _health(self, place: int) -> Cell:
        total = None if self.health is None else self.health[place]
        return Absent.EMPTY if total is None else int(str(total))


def printed_cells(month: PrintedMonth) -> Cells:
    return {(unit, column.name): value for unit, column, value in month.cells() if column.name not in NOT_SIMULATED}


def cells_of(events: Iterable[Event], month: PrintedMonth, period: Period) -> Cells:
    units: dict[UnitId, _Unit] = defaultdict(_Unit)
    for event in events:
        _add(units[event.unit_id], event, period)
    return {(unit, column): units[unit].cell(column) for unit, column in printed_cells(month)}


def _add(unit: _Unit, event: Event, period: Period) -> None:
    if isinstance(event, Declaration):
        unit.declared = set(event.table_codes)
    elif isinstance(event, HealthRecords):
        unit.health = (event.business_date, event.base_total, event.hypertension_total, event.diabetes_total)
    elif isinstance(event, RealtimeForms):
        if period.first <= event.business_date <= period.last and event.record_count:
            unit.realtime_days.add(event.business_date)
            unit.forms.add(event.form_code)
    elif isinstance(event, CdaDocuments):
        _add_documents(unit, event, period)


def _add_documents(unit: _Unit, event: CdaDocuments, period: Period) -> None:
    if event.business_date <= period.last and event.record_count:
        unit.tables.add(event.table_code)
    if not period.first <= event.business_date <= period.last:
        return
    unit.records += event.record_count
    if event.record_count:
        unit.upload_days.add(event.business_date)
    unit.visits += event.outpatient_visits or 0
    unit.discharges += event.discharges or 0
    if event.outpatient_revenue_cents is not None:
        unit.outpatient = (unit.outpatient or 0) + event.outpatient_revenue_cents
    if event.inpatient_revenue_cents is not None:
        unit.inpatient = (unit.inpatient or 0) + event.inpatient_revenue_cents


def _amount(cents: int | None) -> Cell:
    return Absent.NOT_REPORTED if cents is None else Decimal(cents) / CENTS_PER_KCNY
