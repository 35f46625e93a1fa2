"""What dashboards read from the database, as rows: the register, the bulletins, the units' feeds and tables. Core."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

from monitor.bulletin.build import build_bulletin
from monitor.judgement.unit_status import PlatformStatus
from monitor.ledger.dashboards import Rows
from monitor.ledger.ladder import Ladders
from monitor.ledger.month import MonthFacts
from schemas.bulletin.columns import Absent, Cell
from schemas.events import UnitId
from schemas.register import Form, Register, Table

_AS_PRINTED: Final = (
    "tables_declared",
    "tables_required",
    "tables_uploaded",
    "upload_days",
    "health_records_base",
    "health_records_hypertension",
    "health_records_diabetes",
    "realtime_days",
    "realtime_forms_uploaded",
    "realtime_forms_required",
)
"""Columns that hold the bulletin's cell, or NULL where that says why there is none."""
_FIGURES: Final = ("outpatient_visits", "discharges", "outpatient_revenue_cents", "inpatient_revenue_cents")
"""Columns that hold the figure itself: the print writes 0 where no visit was carried, and rounds amounts."""


def unit_rows(status: PlatformStatus) -> Rows:
    """Units, in the register's order."""
    return [
        {
            "unit_id": found.unit.unit_id,
            "place": place,
            "kind": str(found.unit.kind),
            "name_zh": found.unit.name_zh,
            "name_en": found.unit.name_en,
            "district": found.unit.district,
            "vendor": found.unit.vendor,
            "life": str(found.life),
            "active_from": found.unit.active_from,
            "active_until": found.unit.active_until,
        }
        for place, found in enumerate(status.units)
    ]


def table_rows(register: Register) -> Rows:
    """The catalogue."""
    rows = zip(_entries(register.tables.values()), register.tables.values(), strict=True)
    return [row | {"required_for": " ".join(sorted(table.required_for))} for row, table in rows]


def form_rows(register: Register) -> Rows:
    """The realtime forms."""
    return list(_entries(register.forms.values()))


def _entries(entries: Iterable[Table | Form]) -> Iterable[dict[str, Any]]:
    names = ("code", "name_zh", "name_en", "domain", "required_from", "required_until")
    return ({"place": place} | {name: getattr(entry, name) for name in names} for place, entry in enumerate(entries))


def feed_rows(status: PlatformStatus) -> Rows:
    """What is true of each feed of each unit."""
    return [
        {
            "unit_id": found.unit.unit_id,
            "feed": str(feed.feed),
            "condition": str(feed.condition),
            "since": feed.since,
            "deadline": feed.deadline,
            "last_event_at": feed.last_event_at,
        }
        for found in status.units
        for feed in found.feeds
    ]


def month_rows(facts: MonthFacts, register: Register) -> Rows:
    """The bulletin of a month for which anything was sent; of any other none, for its zeros would be nobody's."""
    if not facts.senders:
        return []
    bulletin = build_bulletin(facts, register)
    return [
        {
            "month": facts.period.first,
            "unit_id": row.unit_id,
            "records": row.cells["records_uploaded"],
            **{name: _number(row.cells[name]) for name in _AS_PRINTED},
            **{name: facts.figure(name, row.unit_id) for name in _FIGURES},
        }
        for rows in bulletin.rows.values()
        for row in rows
    ]


def _number(cell: Cell) -> Any:
    return None if isinstance(cell, Absent) else cell


def ladder_rows(ladders: Ladders, units: Iterable[UnitId], register: Register, day: date) -> Rows:
    """Of each unit the tables that it has to upload, declared or uploaded. What is required is that of `day`."""
    required: Mapping[str, frozenset[str]] = {
        kind: frozenset(table.code for table in register.required_tables(kind, day)) for kind in register.kinds
    }
    nothing: frozenset[str] = frozenset()
    rows: list[dict[str, Any]] = []
    for unit_id in units:
        due, declared = required[register.units[unit_id].kind], ladders.declared.get(unit_id)
        ever, in_month = ladders.ever.get(unit_id, nothing), ladders.in_month.get(unit_id, nothing)
        rows += (
            {
                "unit_id": unit_id,
                "table_code": code,
                "required": code in due,
                "declared": None if declared is None else code in declared,
                "uploaded_ever": code in ever,
                "uploaded_this_month": code in in_month,
            }
            for code in sorted(due | (declared or nothing) | ever)
        )
    return rows
