"""Prune old details: the sums stay. Shell.

Invariant: pruning changes no printed number, and a re-sent event whose receipt is gone still counts as a duplicate, because
its stream knows that the number was seen.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine, delete

from monitor import tables
from monitor.database import sentences, table_of, writing
from monitor.tables import LetterState
from schemas.clock import start_of_day
from schemas.period import Period

_COUNTED: Final = table_of(tables.CountedEvent)
_HOUR: Final = table_of(tables.ActiveHour)
_LETTER: Final = table_of(tables.DeadLetterRow)
_INCIDENT: Final = table_of(tables.Incident)


@dataclass(frozen=True)
class Pruned:
    """Rows that went."""

    receipts: int
    hours: int
    letters: int
    incidents: int


def prune(engine: Engine, before: Period) -> Pruned:
    """Delete the details of the months before `before`, in one transaction.

    Receipts of events by business date, hours of activity, dead letters that were replayed or discarded, closed incidents.
    Letters that nobody has settled stay, whatever their age.
    """
    moment = start_of_day(before.first)
    with sentences(engine), writing(engine) as connection:
        settled = _LETTER.c.state != LetterState.KEPT
        return Pruned(
            connection.execute(delete(_COUNTED).where(_COUNTED.c.business_date < before.first)).rowcount,
            connection.execute(delete(_HOUR).where(_HOUR.c.hour < int(moment.timestamp()) // 3600)).rowcount,
            connection.execute(delete(_LETTER).where(settled, _LETTER.c.settled_at < moment)).rowcount,
            connection.execute(delete(_INCIDENT).where(_INCIDENT.c.closed_at < moment)).rowcount,
        )
