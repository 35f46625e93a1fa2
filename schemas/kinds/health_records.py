"""Health records: a district's cumulative totals; the latest snapshot of a day counts. Core."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from schemas.identifiers import UnitId
from schemas.kinds.kind import Kind, Latest, Newest


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


KIND: Final = Kind(
    HealthRecords,
    "health_record_day",
    Latest(("unit_id", "business_date"), ("base_total", "hypertension_total", "diabetes_total")),
    chapter={
        "health_records_base": Newest("base_total"),
        "health_records_hypertension": Newest("hypertension_total"),
        "health_records_diabetes": Newest("diabetes_total"),
    },
)
