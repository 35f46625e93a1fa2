"""A printed row as figures to be uploaded, whichever form it was printed in. Core.

Invariant: figures that leave this module can be reproduced exactly by events; a row that no upload could produce is
refused with its file, line and column.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from schemas.bulletin.columns import Form
from schemas.bulletin.printed_month import PrintedRow, PrintedTable
from schemas.events import FormCode, TableCode, UnitId
from schemas.period import Period
from schemas.register import Register

LARGEST: Final = 10**12
"""Largest count, or amount in cents, that one event may carry (schemas.codec refuses more)."""
_HEALTH: Final = ("health_records_base", "health_records_hypertension", "health_records_diabetes")


@dataclass(frozen=True, slots=True)
class Measures:
    """What documents carry beside their number; amounts in cents. None means not carried, which is not 0."""

    outpatient_visits: int | None = None
    discharges: int | None = None
    outpatient_revenue_cents: int | None = None
    inpatient_revenue_cents: int | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """What a unit delivers in the month. None: not printed in this form, or not declared."""

    unit_id: UnitId
    records: int
    upload_days: int | None
    tables_ever: int | None
    declared: int | None
    measures: Measures
    realtime_days: int
    realtime_forms: int
    health: tuple[int | None, int | None, int | None] | None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What there is to upload for one kind of unit in one month."""

    period: Period
    tables: Sequence[TableCode]
    forms: Sequence[FormCode]


def catalogue_of(table: PrintedTable, period: Period, register: Register) -> Catalogue:
    """The tables required of the kind of unit that `table` lists, and all realtime forms."""
    return Catalogue(period, [entry.code for entry in register.required_tables(table.kind)], list(register.forms))


def read_figures(table: PrintedTable, row: PrintedRow, catalogue: Catalogue) -> Figures:
    """The figures of `row`. Raises HipwatchError naming file, line, column and unit when no upload could produce them."""
    reader = _Reader(table, row, catalogue)
    return reader.form_2020() if table.form is Form.Y2020 else reader.form_2024()


class _Reader:
    """Checked reading of one row."""

    def __init__(self, table: PrintedTable, row: PrintedRow, catalogue: Catalogue) -> None:
        self._table = table
        self._row = row
        self._catalogue = catalogue
        self._days = len(catalogue.period.days)

    def form_2020(self) -> Figures:
        """Declarations, tables and upload days are printed; realtime and revenue are not."""
        records, days = self._count("records_uploaded"), self._count("upload_days")
        tables, declared = self._count("tables_uploaded"), self._row.count("tables_declared")
        size = len(self._catalogue.tables)
        for column, number in (("tables_uploaded", tables), ("tables_declared", declared or 0)):
            self._demand(number <= size, column, f"{number} of the {size} tables in the catalogue")
        self._demand(days <= self._days, "upload_days", f"{days} days in a month of {self._days}")
        self._demand(days <= records, "upload_days", f"{days} days with records, but only {records} records uploaded")
        self._demand(days > 0 or not records, "upload_days", f"no day with records, but {records} records uploaded")
        self._demand(tables > 0 or not records, "tables_uploaded", f"no table ever uploaded, but {records} records this month")
        base, hypertension, diabetes = (self._total(column) for column in _HEALTH)
        health = None if base is hypertension is diabetes is None else (base, hypertension, diabetes)
        return Figures(self._row.unit_id, records, days, tables, declared, self._measures(), 0, 0, health)

    def form_2024(self) -> Figures:
        """Realtime and revenue are printed; declarations, tables and upload days are not."""
        records = self._count("scheduled_records")
        days, forms = self._count("realtime_days"), self._count("realtime_forms_uploaded")
        known = len(self._catalogue.forms)
        self._demand(days <= self._days, "realtime_days", f"{days} days in a month of {self._days}")
        self._demand(forms <= known, "realtime_forms_uploaded", f"{forms} of {known} realtime forms")
        self._demand(days > 0 or not forms, "realtime_days", f"no realtime day, but {forms} realtime forms uploaded")
        self._demand(forms > 0 or not days, "realtime_forms_uploaded", f"no realtime form, but {days} realtime days")
        return Figures(self._row.unit_id, records, None, None, None, self._measures(), days, forms, None)

    def _measures(self) -> Measures:
        """A count of 0 is not carried; an amount of 0 is, for `0` and `/` are printed differently."""
        return Measures(
            self._count("outpatient_visits") or None,
            self._count("discharges") or None,
            self._bounded("outpatient_revenue_kcny", self._row.cents("outpatient_revenue_kcny")),
            self._bounded("inpatient_revenue_kcny", self._row.cents("inpatient_revenue_kcny")),
        )

    def _count(self, column: str) -> int:
        number = self._total(column)
        if number is None:
            raise self._table.fail(self._row, column, "is empty; write 0 for none")
        return number

    def _total(self, column: str) -> int | None:
        return self._bounded(column, self._row.count(column))

    def _bounded(self, column: str, number: int | None) -> int | None:
        self._demand((number or 0) <= LARGEST, column, "is more than an upload may carry (10^12; revenue in cents)")
        return number

    def _demand(self, held: bool, column: str, problem: str) -> None:
        if not held:
            raise self._table.fail(self._row, column, problem)
