"""An event such as no kind has yet."""

from dataclasses import dataclass
from datetime import datetime

from schemas.events import UnitId


@dataclass(frozen=True, slots=True)
class Undated:
    """A made-up kind that has a feed, and no business date."""

    event_id: str
    unit_id: UnitId
    event_time: datetime
    series: str
    sequence: int
    record_count: int
