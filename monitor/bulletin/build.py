"""Build a month's tables from the ledger. Shell, read-only: every cell is a query over counted events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, distinct, func, select

from monitor import tables
from monitor.database import sentences, table_of
from schemas.clock import start_of_day
from schemas.events import UnitId
from schemas.period import Period
from schemas.printed import CENTS_PER_KCNY, Absent, Cell, Form
from schemas.register import Register, UnitKind

_UPLOAD: Final = table_of(tables.UploadDay)
_FORM: Final = table_of(tables.FormDay)
_DECLARED: Final = table_of(tables.DeclaredTables)
_HEALTH: Final = table_of(tables.HealthRecordDay)


@dataclass(frozen=True)
class BulletinRow:
    """One unit. `cells` holds the columns of both printed forms by their names."""

    unit_id: UnitId
    cells: Mapping[str, Cell]


@dataclass(frozen=True)
class Bulletin:
    """The tables of a month, every registered unit in them, most records first.

    `form` is the printed form that fits: that of 2024 once realtime forms or revenue are uploaded, that of 2020 before.
    """

    period: Period
    form: Form
    rows: Mapping[UnitKind, Sequence[BulletinRow]]

    def cell(self, unit_id: UnitId, column: str) -> Cell | None:
        """One cell, or None when the register has no such unit or the tables no such column."""
        for rows in self.rows.values():
            for row in rows:
                if row.unit_id == unit_id:
                    return row.cells.get(column)
        return None


def build_bulletin(engine: Engine, register: Register, period: Period) -> Bulletin:
    """Read the tables of `period` from the ledger, in one read transaction. Raises LedgerUnavailable."""
    with sentences(engine), engine.connect() as connection, connection.begin():
        declared = _declared(connection, period)
        ever = _tables_ever(connection, period)
        sums = _sums(connection, period)
        forms = _forms(connection, period)
        health = _health_records(connection, period)

    def row(unit_id: UnitId, kind: UnitKind) -> BulletinRow:
        records, days, visits, discharges, outpatient, inpatient = sums.get(unit_id, (0, 0, None, None, None, None))
        realtime_days, realtime_forms = forms.get(unit_id, (0, 0))
        base, hypertension, diabetes = health.get(unit_id, (None, None, None))
        cells: dict[str, Cell] = {
            "tables_declared": declared.get(unit_id, Absent.NOT_DECLARED),
            "tables_required": len(register.required_tables(kind)),
            "tables_uploaded": ever.get(unit_id, 0),
            "records_uploaded": records,
            "scheduled_records": records,
            "upload_days": days,
            "outpatient_visits": visits or 0,  # the print writes 0 where nothing was carried
            "discharges": discharges or 0,
            "health_records_base": _or_empty(base),
            "health_records_hypertension": _or_empty(hypertension),
            "health_records_diabetes": _or_empty(diabetes),
            "realtime_days": realtime_days,
            "realtime_forms_uploaded": realtime_forms,
            "realtime_forms_required": len(register.forms),
            "outpatient_revenue_kcny": _thousand_yuan(outpatient),
            "inpatient_revenue_kcny": _thousand_yuan(inpatient),
        }
        return BulletinRow(unit_id, cells)

    rows = {
        kind: sorted(
            (row(unit.unit_id, kind) for unit in register.units.values() if unit.kind is kind),
            key=lambda found: -int(sums.get(found.unit_id, (0,))[0]),
        )
        for kind in UnitKind
    }
    newer = bool(forms) or any(found[4] is not None or found[5] is not None for found in sums.values())
    return Bulletin(period, Form.Y2024 if newer else Form.Y2020, rows)


def _in_month(column: ColumnElement[Any], period: Period) -> ColumnElement[bool]:
    return column.between(period.first, period.last)


def _declared(connection: Connection, period: Period) -> dict[UnitId, int]:
    """How many tables each unit's last declaration up to the month's end names."""
    month_end = start_of_day(period.next().first)
    statement = (
        select(_DECLARED.c.unit_id, _DECLARED.c.table_codes)
        .where(_DECLARED.c.declared_at < month_end)
        .order_by(_DECLARED.c.declared_at, _DECLARED.c.event_id)
    )
    return {UnitId(unit_id): len(codes.split()) for unit_id, codes in connection.execute(statement)}


def _tables_ever(connection: Connection, period: Period) -> dict[UnitId, int]:
    """Distinct tables with any record, ever, up to the month's end."""
    statement = (
        select(_UPLOAD.c.unit_id, func.count(distinct(_UPLOAD.c.table_code)))
        .where(_UPLOAD.c.business_date <= period.last, _UPLOAD.c.records > 0)
        .group_by(_UPLOAD.c.unit_id)
    )
    return {UnitId(unit_id): count for unit_id, count in connection.execute(statement)}


def _sums(connection: Connection, period: Period) -> dict[UnitId, tuple[Any, ...]]:
    """Records, days with any record, visits, discharges, outpatient and inpatient revenue (cents); None: never carried."""
    with_records = func.count(distinct(_UPLOAD.c.business_date)).filter(_UPLOAD.c.records > 0)
    columns = ("outpatient_visits", "discharges", "outpatient_revenue_cents", "inpatient_revenue_cents")
    statement = (
        select(_UPLOAD.c.unit_id, func.sum(_UPLOAD.c.records), with_records, *(func.sum(_UPLOAD.c[name]) for name in columns))
        .where(_in_month(_UPLOAD.c.business_date, period))
        .group_by(_UPLOAD.c.unit_id)
    )
    whole = ((row[0], tuple(None if value is None else int(value) for value in row[1:])) for row in connection.execute(statement))
    return {UnitId(unit_id): values for unit_id, values in whole}


def _forms(connection: Connection, period: Period) -> dict[UnitId, tuple[int, int]]:
    """Days with any realtime form, and distinct forms."""
    statement = (
        select(_FORM.c.unit_id, func.count(distinct(_FORM.c.business_date)), func.count(distinct(_FORM.c.form_code)))
        .where(_in_month(_FORM.c.business_date, period), _FORM.c.records > 0)
        .group_by(_FORM.c.unit_id)
    )
    return {UnitId(unit_id): (days, forms) for unit_id, days, forms in connection.execute(statement)}


def _health_records(connection: Connection, period: Period) -> dict[UnitId, tuple[int | None, ...]]:
    """The totals of the last snapshot in the month."""
    columns = ("base_total", "hypertension_total", "diabetes_total")
    statement = (
        select(_HEALTH.c.unit_id, *(_HEALTH.c[name] for name in columns))
        .where(_in_month(_HEALTH.c.business_date, period))
        .order_by(_HEALTH.c.business_date)
    )
    return {UnitId(row[0]): tuple(row[1:]) for row in connection.execute(statement)}


def _or_empty(value: int | None) -> Cell:
    return Absent.EMPTY if value is None else value


def _thousand_yuan(cents: int | None) -> Cell:
    return Absent.NOT_REPORTED if cents is None else Decimal(cents) / CENTS_PER_KCNY
