"""Declarations: which tables a unit says that it uploads; each is kept, the latest counts. Core."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from schemas.identifiers import TableCode, UnitId
from schemas.kinds.kind import Each, Kind, Newest


@dataclass(frozen=True, slots=True)
class Declaration:
    """All tables that a unit declares; the latest declaration counts."""

    event_id: str
    unit_id: UnitId
    event_time: datetime
    series: str
    sequence: int
    table_codes: tuple[TableCode, ...]


KIND: Final = Kind(
    Declaration,
    "declared_tables",
    Each("declared_at", ("table_codes",)),
    chapter={"tables_declared": Newest("table_codes")},
)
