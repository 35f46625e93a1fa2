"""What to ask a unit to send again: the gaps in its numbers, with the dates around them. Shell, read-only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import Engine, select

from monitor.ledger import tables
from monitor.ledger.errors import friendly_errors
from monitor.ledger.statements import table_of
from schemas.clock import from_days
from schemas.events import UnitId
from schemas.topics import Topic

_GAP: Final = table_of(tables.OpenGap)
_STREAM: Final = table_of(tables.StreamState)


@dataclass(frozen=True)
class StreamFacts:
    """Counts of one stream since its beginning; `missing` now; `ahead` and `behind`: sent by a clock that was evidently wrong."""

    unit_id: UnitId
    topic: Topic
    series: str
    accepted: int
    duplicates: int
    missing: int
    ahead: int
    behind: int


@dataclass(frozen=True)
class DatedGap:
    """Missing numbers `first` to `last` of a stream, and the business dates of the events around them (None: unknown)."""

    unit_id: UnitId
    topic: Topic
    series: str
    first: int
    last: int
    after: date | None
    before: date | None

    def request(self) -> str:
        """What to ask for, in words."""
        numbers = str(self.first) if self.first == self.last else f"{self.first}–{self.last}"
        known = sorted({day for day in (self.after, self.before) if day is not None})
        days = " to ".join(map(str, known))
        return f"re-send {numbers} of {days}" if days else f"re-send {numbers}"


def find_gaps(engine: Engine, unit_id: str | None = None) -> list[DatedGap]:
    """Every open gap, by unit, topic and number; of one unit, if named."""
    statement = select(_GAP).order_by(_GAP.c.unit_id, _GAP.c.topic, _GAP.c.series, _GAP.c.first_missing)
    if unit_id is not None:
        statement = statement.where(_GAP.c.unit_id == unit_id)
    with friendly_errors(engine), engine.connect() as connection:
        return [
            DatedGap(
                UnitId(row.unit_id),
                Topic(row.topic),
                row.series,
                row.first_missing,
                row.last_missing,
                None if row.after_day is None else from_days(row.after_day),
                None if row.before_day is None else from_days(row.before_day),
            )
            for row in connection.execute(statement)
        ]


def stream_facts(engine: Engine, unit_id: str | None = None) -> Sequence[StreamFacts]:
    """Counts of every stream; of one unit, if named."""
    statement = select(_STREAM).order_by(_STREAM.c.unit_id, _STREAM.c.topic, _STREAM.c.series)
    if unit_id is not None:
        statement = statement.where(_STREAM.c.unit_id == unit_id)
    with friendly_errors(engine), engine.connect() as connection:
        return [
            StreamFacts(
                UnitId(row.unit_id),
                Topic(row.topic),
                row.series,
                row.accepted,
                row.duplicates,
                row.skipped - row.filled,
                row.ahead,
                row.behind,
            )
            for row in connection.execute(statement)
        ]
