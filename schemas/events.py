"""Typed events: what a decoded message means. Core."""

from dataclasses import dataclass
from datetime import datetime

from schemas.identifiers import FormCode, TableCode, UnitId
from schemas.kinds.cda_documents import CdaDocuments
from schemas.kinds.declarations import Declaration
from schemas.kinds.health_records import HealthRecords
from schemas.kinds.kind import Event
from schemas.kinds.realtime_forms import RealtimeForms

__all__ = [
    "CdaDocuments",
    "DeadLetter",
    "Declaration",
    "Event",
    "FormCode",
    "HealthRecords",
    "RealtimeForms",
    "TableCode",
    "UnitId",
]


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
