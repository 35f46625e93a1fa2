"""CDA documents: the scheduled uploads, added up by unit, table and business date. Core."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from schemas.feeds import Feed
from schemas.identifiers import TableCode, UnitId
from schemas.kinds.kind import Added, Days, Distinct, Kind, Total


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


KIND: Final = Kind(
    CdaDocuments,
    "upload_day",
    Added(
        ("unit_id", "table_code", "business_date"),
        {
            "records": "record_count",
            "outpatient_visits": "outpatient_visits",
            "discharges": "discharges",
            "outpatient_revenue_cents": "outpatient_revenue_cents",
            "inpatient_revenue_cents": "inpatient_revenue_cents",
        },
    ),
    Feed.SCHEDULED,
    chapter={
        "records": Total("records"),
        "upload_days": Days("records"),
        "tables": Distinct("table_code", "records"),
        "tables_ever": Distinct("table_code", "records", ever=True),
        "outpatient_visits": Total("outpatient_visits"),
        "discharges": Total("discharges"),
        "outpatient_revenue_cents": Total("outpatient_revenue_cents"),
        "inpatient_revenue_cents": Total("inpatient_revenue_cents"),
    },
)
