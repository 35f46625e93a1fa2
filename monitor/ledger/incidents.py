"""The incident log, to be read. Shell, read-only."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, Engine, select

from monitor.ledger import tables
from monitor.ledger.errors import friendly_errors
from monitor.ledger.statements import table_of

_INCIDENT: Final = table_of(tables.Incident)
_EVENT: Final = table_of(tables.IncidentEvent)
_INCOMPLETE: Final = table_of(tables.IncompleteDelivery)


def list_incidents(engine: Engine, *, open_only: bool = False) -> Sequence[tables.Incident]:
    """Incidents, oldest first; of the same moment and alert, those without a unit first (databases differ in that)."""
    with friendly_errors(engine), engine.connect() as connection:
        return read_incidents(connection, open_only=open_only)


def read_incidents(connection: Connection, *, open_only: bool = False) -> Sequence[tables.Incident]:
    """As `list_incidents`, within a transaction of the caller's."""
    statement = select(_INCIDENT).order_by(_INCIDENT.c.opened_at, _INCIDENT.c.alertname, _INCIDENT.c.unit_id.nulls_first())
    if open_only:
        statement = statement.where(_INCIDENT.c.closed_at.is_(None))
    return [tables.Incident(**row) for row in connection.execute(statement).mappings()]


def find_incident(engine: Engine, number: int) -> tuple[tables.Incident, Sequence[tables.IncidentEvent]] | None:
    """An incident and its life, oldest line first; None when there is none of this number."""
    with friendly_errors(engine), engine.connect() as connection:
        found = connection.execute(select(_INCIDENT).where(_INCIDENT.c.id == number)).mappings().first()
        if found is None:
            return None
        lines = select(_EVENT).where(_EVENT.c.incident_id == number).order_by(_EVENT.c.id)
        return tables.Incident(**found), [tables.IncidentEvent(**row) for row in connection.execute(lines).mappings()]


def incomplete_deliveries(engine: Engine) -> Sequence[tables.IncompleteDelivery]:
    """Deliveries that did not bring everything, by reason."""
    with friendly_errors(engine), engine.connect() as connection:
        rows = connection.execute(select(_INCOMPLETE).order_by(_INCOMPLETE.c.reason)).mappings()
        return [tables.IncompleteDelivery(**row) for row in rows]
