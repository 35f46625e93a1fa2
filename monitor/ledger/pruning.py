"""Prune old details: the sums stay. Shell.

Invariant: pruning changes no printed number and no verdict, and a re-sent event whose receipt is gone still counts as a
duplicate under its number, because its stream knows that the number was seen.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, Engine, Table, and_, delete, func, select

from monitor.counting.receipt_hash import HASH_BYTES
from monitor.ledger import tables
from monitor.ledger.database import writing
from monitor.ledger.errors import friendly_errors
from monitor.ledger.snapshot import LOOKED_BACK
from monitor.ledger.statements import table_of
from monitor.ledger.tables.dead_letters import LetterState
from schemas.clock import local_date, start_of_day, to_days
from schemas.errors import HipwatchError
from schemas.period import Period

_CLOCK: Final = table_of(tables.PlatformClock)
_RUN: Final = table_of(tables.StoredReceipts)
_HOUR: Final = table_of(tables.ActiveHour)
_LETTER: Final = table_of(tables.DeadLetterRow)
_INCIDENT: Final = table_of(tables.Incident)
_EVENT: Final = table_of(tables.IncidentEvent)
_TOLD: Final = table_of(tables.OutboxTold)
_MESSAGE: Final = table_of(tables.OutboxMessage)


@dataclass(frozen=True)
class Pruned:
    """What went, or would go: receipts of events, and rows."""

    receipts: int
    hours: int
    dead_letters: int
    incidents: int


def prune(engine: Engine, before: Period, *, dry_run: bool = False) -> Pruned:
    """Delete the details of the months before `before`, in one transaction; only count them if `dry_run`.

    Receipts by the newest business date of their run, hours of activity, dead letters that were replayed or discarded, closed
    incidents. Dead letters that nobody has settled and open incidents stay, whatever their age. Raises HipwatchError when
    `before` takes what is still looked back on, or the month that the platform clock stands in.
    """
    moment = start_of_day(before.first)
    details: dict[str, tuple[Table, ColumnElement[bool]]] = {
        "receipts": (_RUN, _RUN.c.newest_day < to_days(before.first)),
        "hours": (_HOUR, _HOUR.c.hour < int(moment.timestamp()) // 3600),
        "dead_letters": (_LETTER, and_(_LETTER.c.state != LetterState.KEPT, _LETTER.c.settled_at < moment)),
        "incidents": (_INCIDENT, and_(_INCIDENT.c.closed_at.is_not(None), _INCIDENT.c.closed_at < moment)),
    }
    with friendly_errors(engine), writing(engine) as connection:
        _require_past(connection, before)
        found = Pruned(**{name: _count(connection, table, old) for name, (table, old) in details.items()})
        if not dry_run:
            _forget_incidents(connection, moment)
            for table, old in details.values():
                connection.execute(delete(table).where(old))
        return found


def _count(connection: Connection, table: Table, old: ColumnElement[bool]) -> int:
    what = func.coalesce(func.sum(func.length(_RUN.c.hashes) / HASH_BYTES), 0) if table is _RUN else func.count()
    return int(connection.execute(select(what).select_from(table).where(old)).scalar_one())


def _require_past(connection: Connection, before: Period) -> None:
    """Deadlines look back on hours, and a unit may send last month's days again; the month that is counted now is open."""
    clock = connection.execute(select(_CLOCK.c.complete_until)).scalar()
    if clock is None:
        raise HipwatchError("nothing can be pruned: the platform clock does not stand anywhere yet")
    looked_back = local_date(clock - LOOKED_BACK)
    newest = Period(looked_back.year, looked_back.month)
    if before.first > newest.first:
        raise HipwatchError(
            f"the details of {before} and of what lies {LOOKED_BACK.days} days before it are still needed: the platform clock "
            f"stands at {local_date(clock)}, so that prune {newest} is the most that can go"
        )


def _forget_incidents(connection: Connection, moment: datetime) -> None:
    """What hangs on the incidents that go: a database may give their numbers to new ones, of which nobody was told yet."""
    going = select(_INCIDENT.c.id).where(_INCIDENT.c.closed_at < moment)
    for table in (_EVENT, _TOLD):
        connection.execute(delete(table).where(table.c.incident_id.in_(going)))
    connection.execute(delete(_MESSAGE).where(_MESSAGE.c.settled_at < moment))
