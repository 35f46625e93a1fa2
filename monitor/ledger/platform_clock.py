"""The platform clock: what every partition has been counted up to. Shell: inside the caller's transaction.

The clock is a low watermark: it follows the slowest partition, and never goes back.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, func, or_, select, tuple_, update

from monitor.counting.batch import Position
from monitor.ledger import tables
from monitor.ledger.bulk import read
from monitor.ledger.statements import table_of
from schemas.clock import to_millis

_OFFSET: Final = table_of(tables.SourceOffset)
_CLOCK: Final = table_of(tables.PlatformClock)


def read_greatest_event_at(connection: Connection) -> datetime | None:
    """The greatest event time counted so far, in whichever partition, also in one that is gone."""
    found = [
        connection.execute(select(_CLOCK.c.greatest_event_at)).scalar(),
        connection.execute(select(func.max(_OFFSET.c.greatest_event_at))).scalar(),
    ]
    return max((moment for moment in found if moment is not None), default=None)


def read_clock(connection: Connection) -> datetime | None:
    """The platform clock; None before every partition is known to be complete up to some moment."""
    moment: datetime | None = connection.execute(select(_CLOCK.c.complete_until)).scalar()
    return moment


def keep_greatest(connection: Connection, gone: ColumnElement[bool]) -> None:
    """Remember the greatest event time of partitions that are about to be forgotten."""
    moment = connection.execute(select(func.max(_OFFSET.c.greatest_event_at)).where(gone)).scalar()
    if moment is not None:
        behind = or_(_CLOCK.c.greatest_event_at.is_(None), _CLOCK.c.greatest_event_at < moment)
        connection.execute(update(_CLOCK).where(behind).values(greatest_event_at=moment))


def note_event_times(connection: Connection, moments: Mapping[Position, datetime | None]) -> None:
    """Units send in order of event time: what a partition has counted up to, it is complete up to.

    The rows are locked: their offsets were moved by this transaction.
    """
    given = [
        (position.topic_id, position.partition, to_millis(moment)) for position, moment in moments.items() if moment is not None
    ]
    later = "CASE WHEN coalesce({0}, given.moment) > given.moment THEN {0} ELSE given.moment END"
    read(
        connection,
        {"topic_id": str, "partition": int, "moment": int},
        given,
        f"UPDATE source_offset SET complete_until = {later.format('complete_until')},"
        f" greatest_event_at = {later.format('greatest_event_at')} FROM given"
        " WHERE source_offset.topic_id = given.topic_id AND source_offset.partition = given.partition"
        " AND (complete_until IS NULL OR complete_until < given.moment"
        " OR greatest_event_at IS NULL OR greatest_event_at < given.moment) RETURNING source_offset.partition",
    )


def raise_complete_until(connection: Connection, positions: Sequence[Position], until: datetime) -> None:
    """Partitions that still stand at their position are complete up to `until`; what is complete never goes back."""
    if positions:
        here = tuple_(_OFFSET.c.topic_id, _OFFSET.c.partition, _OFFSET.c.next_offset).in_([tuple(p) for p in positions])
        behind = or_(_OFFSET.c.complete_until.is_(None), _OFFSET.c.complete_until < until)
        connection.execute(update(_OFFSET).where(here, behind).values(complete_until=until))


def advance(connection: Connection) -> None:
    """Follow the slowest partition, once each is known to be complete up to some moment."""
    slowest, unknown = connection.execute(
        select(func.min(_OFFSET.c.complete_until), func.count().filter(_OFFSET.c.complete_until.is_(None)))
    ).one()
    if slowest is not None and not unknown:
        behind = or_(_CLOCK.c.complete_until.is_(None), _CLOCK.c.complete_until < slowest)
        connection.execute(update(_CLOCK).where(behind).values(complete_until=slowest, advanced_at=datetime.now(UTC)))
