"""Silences and outages as they were found, each stored once by any number of judges. Shell.

Compare-and-set: a silence is inserted where none began with the same last upload, and ended where it has not ended yet.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine, select, update

from monitor.ledger import tables
from monitor.ledger.database import writing
from monitor.ledger.errors import friendly_errors
from monitor.ledger.statements import insert, insert_rows, table_of
from monitor.ledger.tables import FeedOutage, Flip

_FLIP: Final = table_of(tables.Flip)
_OUTAGE: Final = table_of(tables.FeedOutage)


def store_flips(engine: Engine, flips: Sequence[Flip], outages: Sequence[FeedOutage]) -> None:
    """Store silences and outages that began or ended; what is stored already stays as it is."""
    if not flips and not outages:
        return
    with friendly_errors(engine), writing(engine) as connection:
        for table, rows in ((_FLIP, flips), (_OUTAGE, outages)):
            values = [row.model_dump() for row in rows]
            insert_rows(connection, insert(connection, table).on_conflict_do_nothing(), values)
            key = [column.name for column in table.primary_key.columns]
            for row in values:
                if row["ended_at"] is not None:
                    same: list[Any] = [table.c[name] == row[name] for name in key]
                    connection.execute(update(table).where(*same, table.c.ended_at.is_(None)).values(ended_at=row["ended_at"]))


def read_flips(engine: Engine, unit_id: str | None = None, since: datetime | None = None) -> list[Flip]:
    """The silences, the latest first; those that are open, whenever they began, and those that ended after `since`."""
    with friendly_errors(engine), engine.connect() as connection:
        return flips_in(connection, unit_id, since)


def flips_in(connection: Connection, unit_id: str | None = None, since: datetime | None = None) -> list[Flip]:
    """As `read_flips`, inside a transaction."""
    statement = select(_FLIP).order_by(_FLIP.c.started_at.desc(), _FLIP.c.unit_id, _FLIP.c.feed)
    if unit_id is not None:
        statement = statement.where(_FLIP.c.unit_id == unit_id)
    if since is not None:
        statement = statement.where(_FLIP.c.ended_at.is_(None) | (_FLIP.c.ended_at > since))
    return [Flip(**row._mapping) for row in connection.execute(statement)]


def outages_in(connection: Connection, since: datetime) -> list[FeedOutage]:
    """The outages that are open, and those that ended after `since`, in order of their beginning."""
    statement = select(_OUTAGE).where(_OUTAGE.c.ended_at.is_(None) | (_OUTAGE.c.ended_at > since)).order_by(_OUTAGE.c.started_at)
    return [FeedOutage(**row._mapping) for row in connection.execute(statement)]


def read_outages(engine: Engine, since: datetime) -> list[FeedOutage]:
    """The outages that are open, and those that ended after `since`, in order of their beginning."""
    with friendly_errors(engine), engine.connect() as connection:
        return outages_in(connection, since)
