"""Realtime forms: what is sent within minutes, added up by unit, form and business date. Core."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from schemas.feeds import Feed
from schemas.identifiers import FormCode, UnitId
from schemas.kinds.kind import Added, Days, Distinct, Kind


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


KIND: Final = Kind(
    RealtimeForms,
    "form_day",
    Added(("unit_id", "form_code", "business_date"), {"records": "record_count"}),
    Feed.REALTIME,
    chapter={"realtime_days": Days("records"), "realtime_forms": Distinct("form_code", "records")},
)
