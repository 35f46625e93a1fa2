"""Build a month's tables from its facts. Core."""

from decimal import Decimal
from typing import Final

from monitor.bulletin.rows import Bulletin, BulletinRow
from monitor.ledger.month import MonthFacts
from schemas.bulletin.columns import CENTS_PER_KCNY, Absent, Cell, Form
from schemas.register import Register, Unit

_NEW_IN_2024: Final = ("realtime_days", "outpatient_revenue_cents", "inpatient_revenue_cents")
"""Figures that only the form of 2024 prints."""


def build_bulletin(facts: MonthFacts, register: Register) -> Bulletin:
    """The tables of a month, most records first.

    What is required is that of the month's last day.
    """
    last = facts.period.last

    def row(unit: Unit) -> BulletinRow:
        def of(name: str) -> int | None:
            return facts.figure(name, unit.unit_id)

        cells: dict[str, Cell] = {
            "tables_declared": _or(of("tables_declared"), Absent.NOT_DECLARED),
            "tables_required": len(register.required_tables(unit.kind, last)),
            "tables_uploaded": of("tables_ever") or 0,
            "records_uploaded": of("records") or 0,
            "scheduled_records": of("records") or 0,
            "upload_days": of("upload_days") or 0,
            "outpatient_visits": of("outpatient_visits") or 0,  # the print writes 0 where nothing was carried
            "discharges": of("discharges") or 0,
            "health_records_base": _or(of("health_records_base"), Absent.EMPTY),
            "health_records_hypertension": _or(of("health_records_hypertension"), Absent.EMPTY),
            "health_records_diabetes": _or(of("health_records_diabetes"), Absent.EMPTY),
            "realtime_days": of("realtime_days") or 0,
            "realtime_forms_uploaded": of("realtime_forms") or 0,
            "realtime_forms_required": len(register.expected_forms(unit, last)),
            "outpatient_revenue_kcny": _thousand_yuan(of("outpatient_revenue_cents")),
            "inpatient_revenue_kcny": _thousand_yuan(of("inpatient_revenue_cents")),
        }
        return BulletinRow(unit.unit_id, cells)

    listed = listed_units(facts, register)
    rows = {
        kind: sorted(
            (row(unit) for unit in listed if unit.kind is kind),
            key=lambda found: -(facts.figure("records", found.unit_id) or 0),
        )
        for kind in register.kinds
    }
    newer = any(facts.figures[name] for name in _NEW_IN_2024)
    return Bulletin(facts.period, Form.Y2024 if newer else Form.Y2020, rows)


def listed_units(facts: MonthFacts, register: Register) -> list[Unit]:
    """The units of a month's tables, in the register's order: those that it counts to the month, and whoever else sent for it."""
    listed = {unit.unit_id for unit in register.units_of(facts.period)} | facts.senders
    return [unit for unit in register.units.values() if unit.unit_id in listed]


def _or(value: int | None, absent: Absent) -> Cell:
    return absent if value is None else value


def _thousand_yuan(cents: int | None) -> Cell:
    return Absent.NOT_REPORTED if cents is None else Decimal(cents) / CENTS_PER_KCNY
