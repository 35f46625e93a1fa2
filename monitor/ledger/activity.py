"""The hours in which each unit's feed was alive: read what is new, forget what is old. Shell."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from sqlalchemy import Connection, Engine, delete, or_, select

from monitor.counting.feeds import Feed
from monitor.ledger import tables
from monitor.ledger.database import writing
from monitor.ledger.errors import friendly_errors
from monitor.ledger.statements import table_of
from schemas.events import UnitId

_HOUR: Final = table_of(tables.FeedHour)


class FeedHourRow(NamedTuple):
    """An hour (since 1970, UTC) in which a unit's feed was alive, from its first to its last minute."""

    unit_id: UnitId
    feed: Feed
    hour: int
    first_minute: int
    last_minute: int
    events: int


def read_feed_hours(connection: Connection, since: int) -> list[FeedHourRow]:
    """Every active hour from `since` on, in order of time."""
    columns = (_HOUR.c.unit_id, _HOUR.c.feed, _HOUR.c.hour, _HOUR.c.first_minute, _HOUR.c.last_minute, _HOUR.c.events)
    rows = connection.execute(select(*columns).where(_HOUR.c.hour >= since).order_by(_HOUR.c.hour))
    return [FeedHourRow(UnitId(unit), Feed(feed), *rest) for unit, feed, *rest in rows]


def forget_feed_hours(engine: Engine, before: int, days: Iterable[tuple[int, int]]) -> int:
    """Delete the hours before `before`, and those of `days` (first hour, first hour after). Returns how many rows went."""
    old = [_HOUR.c.hour < before, *[(_HOUR.c.hour >= first) & (_HOUR.c.hour < after) for first, after in days]]
    with friendly_errors(engine), writing(engine) as connection:
        return connection.execute(delete(_HOUR).where(or_(*old))).rowcount
