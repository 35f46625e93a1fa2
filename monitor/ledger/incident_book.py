"""The incident log, to be changed: by a delivery, by what the ledger has seen, or by a person. Shell.

Every change of an incident and its line of life are of one transaction, and so is what the outbox compares with. Writers
take turns: two deliveries of the same alert at once are one incident.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Engine, Select, func, literal, select, text, update

from monitor.ledger import tables
from monitor.ledger.database import writing
from monitor.ledger.errors import friendly_errors
from monitor.ledger.incident_changes import (
    BY_LEDGER,
    BY_SENDER,
    Closing,
    EventKind,
    IncidentChanges,
    KnownIncident,
    NewIncident,
    Reopening,
)
from monitor.ledger.statements import in_parts, insert, insert_rows, table_of, upsert
from monitor.ledger.tables.moment import Moment

_INCIDENT: Final = table_of(tables.Incident)
_EVENT: Final = table_of(tables.IncidentEvent)
_DELIVERY: Final = table_of(tables.Delivery)
_INCOMPLETE: Final = table_of(tables.IncompleteDelivery)
_CLOCK: Final = table_of(tables.PlatformClock)
_KNOWN: Final = select(
    *(_INCIDENT.c[name] for name in ("id", "fingerprint", "started_at", "closed_at")),
    *(_INCIDENT.c[name] for name in ("closed_by", "resolved_at", "alertname", "unit_id", "feed", "labels", "ended_at")),
)
_LOCK: Final = 7_461_926_350_018
"""Any number, as long as nobody else locks it: writers of incidents take turns (PostgreSQL; SQLite has one writer anyway)."""


class IncidentBook:
    """The incident log within one write transaction, at the moment `now` (wall time)."""

    def __init__(self, connection: Connection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    def note_deliveries(self, alertnames: Sequence[str]) -> None:
        """Remember when these alerts were last delivered."""
        rows = [{"alertname": name, "last_at": self._now} for name in sorted(set(alertnames))]
        upsert(self._connection, _DELIVERY, rows, greatest=("last_at",))

    def last_delivery(self, alertname: str) -> datetime | None:
        """When an alert of this name was last delivered."""
        return self._connection.execute(select(_DELIVERY.c.last_at).where(_DELIVERY.c.alertname == alertname)).scalar()

    def note_incomplete(self, reason: str, alerts: int) -> None:
        """Count a delivery that did not bring everything."""
        row = {"reason": reason, "deliveries": 1, "alerts": alerts, "last_at": self._now}
        upsert(self._connection, _INCOMPLETE, [row], add=("deliveries", "alerts"), greatest=("last_at",))

    def known(self, fingerprints: Sequence[str]) -> dict[str, KnownIncident]:
        """The latest incident under each fingerprint that has any."""
        found: dict[str, KnownIncident] = {}
        for some in in_parts(fingerprints):
            latest = select(func.max(_INCIDENT.c.id)).where(_INCIDENT.c.fingerprint.in_(some)).group_by(_INCIDENT.c.fingerprint)
            found |= {one.fingerprint: one for one in self._known(_KNOWN.where(_INCIDENT.c.id.in_(latest)))}
        return found

    def units_as_of(self, moment: datetime) -> list[KnownIncident]:
        """Open incidents of units, and those closed by the ledger lately which the sender has not resolved yet.

        Without those that have opened or closed since `moment` (wall time).
        """
        lately = self._now - timedelta(days=7)
        unresolved = (_INCIDENT.c.closed_by == BY_LEDGER) & _INCIDENT.c.resolved_at.is_(None) & (_INCIDENT.c.closed_at > lately)
        latest = select(func.max(_INCIDENT.c.id)).group_by(_INCIDENT.c.fingerprint)
        concerned = _INCIDENT.c.unit_id.is_not(None) & (_INCIDENT.c.closed_at.is_(None) | unresolved)
        return self._known(_KNOWN.where(concerned, _INCIDENT.c.changed_at <= moment, _INCIDENT.c.id.in_(latest)))

    def resolved_but_open(self) -> list[KnownIncident]:
        """Open incidents that the sender says are over."""
        return self._known(_KNOWN.where(_INCIDENT.c.closed_at.is_(None), _INCIDENT.c.resolved_at.is_not(None)))

    def apply(self, changes: IncidentChanges) -> None:
        """Write it all."""
        self._count(changes.heard_firing, {"resolved_at": None})
        self._count(changes.heard_resolved, {"resolved_at": func.coalesce(_INCIDENT.c.resolved_at, literal(self._now, Moment()))})
        self._open(changes.opened)
        for reopening in changes.reopened:
            self._reopen(reopening)
        for closings in in_parts(changes.closed):
            self._close(closings)

    def _known(self, statement: Select[Any]) -> list[KnownIncident]:
        return [
            KnownIncident(number, fingerprint, started_at, closed_at is None, *others)
            for number, fingerprint, started_at, closed_at, *others in self._connection.execute(statement)
        ]

    def _count(self, numbers: Sequence[int], also: dict[str, Any]) -> None:
        for some in in_parts(numbers):
            counted = {"deliveries": _INCIDENT.c.deliveries + 1, "last_delivery_at": self._now, **also}
            self._connection.execute(update(_INCIDENT).where(_INCIDENT.c.id.in_(some)).values(counted))

    def _open(self, new: Sequence[NewIncident]) -> None:
        if not new:
            return
        platform_time = self._connection.execute(select(_CLOCK.c.complete_until)).scalar()
        insert_rows(self._connection, insert(self._connection, _INCIDENT), [self._row(one, platform_time) for one in new])
        numbers: dict[str, int] = {}
        for some in in_parts([one.fingerprint for one in new]):
            mine = select(_INCIDENT.c.fingerprint, func.max(_INCIDENT.c.id)).where(_INCIDENT.c.fingerprint.in_(some))
            rows = self._connection.execute(mine.group_by(_INCIDENT.c.fingerprint)).all()
            numbers |= {row[0]: row[1] for row in rows}
        self._tell(EventKind.OPENED, [numbers[one.fingerprint] for one in new], BY_SENDER)
        over = [one for one in new if one.over_by is not None]
        self._tell(EventKind.CLOSED, [numbers[one.fingerprint] for one in over], BY_SENDER)

    def _row(self, one: NewIncident, platform_time: datetime | None) -> dict[str, Any]:
        is_over = one.over_by is not None
        return {
            "fingerprint": one.fingerprint,
            "started_at": one.started_at,
            "alertname": one.alertname,
            "unit_id": one.unit_id,
            "feed": one.feed,
            "severity": one.severity,
            "scope": one.scope,
            "summary": one.summary,
            "summary_zh": one.summary_zh,
            "labels": one.labels,
            "platform_time": platform_time,
            "began_at": one.began_at,
            "opened_at": self._now,
            "closed_at": self._now if is_over else None,
            "closed_by": one.over_by,
            "change": 2 if is_over else 1,
            "changed_at": self._now,
            "resolved_at": self._now if is_over else None,
            "deliveries": 1,
            "last_delivery_at": self._now,
        }

    def _reopen(self, one: Reopening) -> None:
        values = {
            "closed_at": None,
            "closed_by": None,
            "ended_at": None,
            "acknowledged_at": None,
            "acknowledged_by": None,
            "resolved_at": None,
            "began_at": one.began_at,
            "change": _INCIDENT.c.change + 1,
            "changed_at": self._now,
        }
        is_closed = (_INCIDENT.c.id == one.incident_id, _INCIDENT.c.closed_at.is_not(None))
        if self._connection.execute(update(_INCIDENT).where(*is_closed).values(values)).rowcount:
            self._tell(EventKind.REOPENED, [one.incident_id], one.by)

    def _close(self, closings: Sequence[Closing]) -> None:
        for by, ended_at in {(one.by, one.ended_at) for one in closings}:
            numbers = [one.incident_id for one in closings if (one.by, one.ended_at) == (by, ended_at)]
            is_open = (_INCIDENT.c.id.in_(numbers), _INCIDENT.c.closed_at.is_(None))
            still_open = self._connection.execute(select(_INCIDENT.c.id).where(*is_open)).scalars().all()
            values = {"closed_at": self._now, "closed_by": by, "ended_at": ended_at, "changed_at": self._now}
            self._connection.execute(update(_INCIDENT).where(*is_open).values(change=_INCIDENT.c.change + 1, **values))
            self._tell(EventKind.CLOSED, still_open, by)

    def _tell(self, kind: EventKind, numbers: Sequence[int], by: str, text: str = "") -> None:
        rows = [{"incident_id": number, "kind": kind.value, "at": self._now, "by": by, "text": text} for number in numbers]
        insert_rows(self._connection, insert(self._connection, _EVENT), rows)

    def acknowledge(self, number: int, by: str, note: str = "") -> bool:
        """Somebody takes care of it. False when there is no such incident or it is over."""
        is_open = (_INCIDENT.c.id == number, _INCIDENT.c.closed_at.is_(None))
        values = {"acknowledged_at": self._now, "acknowledged_by": by}
        return self._by_person(EventKind.ACKNOWLEDGED, number, by, note, update(_INCIDENT).where(*is_open).values(values))

    def mute(self, number: int, by: str, until: datetime, note: str = "") -> bool:
        """Nobody is told anything of it until then. False when there is no such incident or it is over."""
        is_open = (_INCIDENT.c.id == number, _INCIDENT.c.closed_at.is_(None))
        return self._by_person(EventKind.MUTED, number, by, note, update(_INCIDENT).where(*is_open).values(muted_until=until))

    def note(self, number: int, by: str, note: str) -> bool:
        """Write down a sentence. False when there is no such incident."""
        touched = update(_INCIDENT).where(_INCIDENT.c.id == number).values(deliveries=_INCIDENT.c.deliveries)
        return self._by_person(EventKind.NOTED, number, by, note, touched)

    def close(self, number: int, by: str, note: str = "") -> bool:
        """It is over because somebody says so. False when there is no such incident or it is over already."""
        is_open = (_INCIDENT.c.id == number, _INCIDENT.c.closed_at.is_(None))
        values = {"closed_at": self._now, "closed_by": by, "changed_at": self._now, "change": _INCIDENT.c.change + 1}
        return self._by_person(EventKind.CLOSED, number, by, note, update(_INCIDENT).where(*is_open).values(values))

    def _by_person(self, kind: EventKind, number: int, by: str, note: str, statement: Any) -> bool:
        done: bool = self._connection.execute(statement).rowcount > 0
        if done:
            self._tell(kind, [number], by, note)
        return done


@contextmanager
def incident_glance(engine: Engine, now: datetime) -> Iterator[IncidentBook]:
    """The log, to be read only: nobody waits for it. Raises LedgerUnavailable."""
    with friendly_errors(engine), engine.connect() as connection:
        yield IncidentBook(connection, now)


@contextmanager
def incident_book(engine: Engine, now: datetime) -> Iterator[IncidentBook]:
    """The log, to be changed in one transaction. Raises LedgerUnavailable."""
    with friendly_errors(engine), writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        yield IncidentBook(connection, now)
