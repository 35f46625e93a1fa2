"""Typed events: what a decoded message means. Core.

Every event carries `event_id`, `unit_id`, `event_time` (aware UTC), `series` and `sequence` (1, 2, 3 … within
unit, topic and series). Amounts are whole cents; None means "not carried", which is not 0.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import NewType

UnitId = NewType("UnitId", str)
TableCode = NewType("TableCode", str)
FormCode = NewType("FormCode", str)


@dataclass(frozen=True, slots=True)
class CdaDocuments:
    """One scheduled upload: `record_count` documents of one table and one business date."""

    event_id: str
    unit_id: UnitId
    table_code: TableCode
    business_date: date
    event_time: datetime
    series: str
    sequence: int
    record_count: int
    outpatient_visits: int | None = None
    discharges: int | None = None
    outpatient_revenue_cents: int | None = None
    inpatient_revenue_cents: int | None = None


@dataclass(frozen=True, slots=True)
class RealtimeForms:
    """One realtime upload: `record_count` entries of one form."""

    event_id: str
    unit_id: UnitId
    form_code: FormCode
    business_date: date
    event_time: datetime
    series: str
    sequence: int
    record_count: int


@dataclass(frozen=True, slots=True)
class Declaration:
    """All tables that a unit declares; the latest declaration counts."""

    event_id: str
    unit_id: UnitId
    event_time: datetime
    series: str
    sequence: int
    table_codes: tuple[TableCode, ...]


@dataclass(frozen=True, slots=True)
class HealthRecords:
    """A district's cumulative health-record totals as of `business_date`."""

    event_id: str
    unit_id: UnitId
    business_date: date
    event_time: datetime
    series: str
    sequence: int
    base_total: int | None = None
    hypertension_total: int | None = None
    diabetes_total: int | None = None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that could not be counted, with its original bytes and the place it stood at."""

    topic: str
    partition: int
    offset: int
    received_at: datetime
    reason: str
    detail: str
    key: bytes | None
    value: bytes | None


Event = CdaDocuments | RealtimeForms | Declaration | HealthRecords
