"""Read the ledger: what the web page and the metrics show (reports: `bulletin`). Shell, read-only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Engine, func, select

from monitor import tables
from monitor.database import sentences, table_of
from monitor.deadlines import Rhythms, outages
from monitor.feeds import Feed
from monitor.fleet import Fleet, judge
from monitor.fold import FeedMark
from schemas.events import UnitId
from schemas.register import Register

_CLOCK: Final = table_of(tables.PlatformClock)
_HOUR: Final = table_of(tables.ActiveHour)
_FEED: Final = table_of(tables.FeedState)
_STREAM: Final = table_of(tables.StreamState)
_GAP: Final = table_of(tables.OpenGap)
_LETTER_COUNT: Final = table_of(tables.DeadLetterCount)
_DELIVERY: Final = table_of(tables.Delivery)
_OUTAGES_LOOKED_BACK: Final = timedelta(days=14)
"""An outage that ended earlier no longer touches a deadline that matters: whoever is silent since then is silent."""


@dataclass(frozen=True)
class TopicCounts:
    """Events of one topic since the beginning."""

    accepted: int
    duplicates: int


@dataclass(frozen=True)
class Snapshot:
    """The ledger at one moment (`read_at`, wall time). `clock_advanced_at` is wall time too."""

    read_at: datetime
    fleet: Fleet
    clock_advanced_at: datetime
    topics: Mapping[str, TopicCounts]
    missing: Mapping[tuple[UnitId, str], int]
    dead_letters: Mapping[tuple[str, str], int]
    watchdog_at: datetime | None


def read_snapshot(engine: Engine, register: Register, rhythms: Rhythms) -> Snapshot:
    """Read and judge everything in one read transaction. Raises LedgerUnavailable."""
    with sentences(engine), engine.connect() as connection, connection.begin():
        clock, advanced_at = connection.execute(select(_CLOCK.c.complete_until, _CLOCK.c.advanced_at)).one()
        marks = {
            (UnitId(row.unit_id), Feed(row.feed)): FeedMark(row.first_event_at, row.last_event_at, row.last_business_date)
            for row in connection.execute(select(_FEED))
        }
        silences = [] if clock is None else outages(_active_hours(connection, clock), clock, timedelta(hours=rhythms.outage))
        counts = connection.execute(
            select(_STREAM.c.topic, func.sum(_STREAM.c.accepted), func.sum(_STREAM.c.duplicates)).group_by(_STREAM.c.topic)
        )
        gaps = connection.execute(
            select(_GAP.c.unit_id, _GAP.c.topic, func.sum(_GAP.c.last_missing - _GAP.c.first_missing + 1)).group_by(
                _GAP.c.unit_id, _GAP.c.topic
            )
        )
        return Snapshot(
            read_at=datetime.now(UTC),
            fleet=judge(register, clock, marks, silences, rhythms),
            clock_advanced_at=advanced_at,
            topics={topic: TopicCounts(int(accepted), int(duplicates)) for topic, accepted, duplicates in counts},
            missing={(UnitId(unit_id), topic): int(missing) for unit_id, topic, missing in gaps},
            dead_letters={(row.topic, row.reason): row.total for row in connection.execute(select(_LETTER_COUNT))},
            watchdog_at=connection.execute(select(_DELIVERY.c.last_at).where(_DELIVERY.c.alertname == "Watchdog")).scalar(),
        )


def _active_hours(connection: Connection, clock: datetime) -> Sequence[int]:
    """The active hours looked back on, and the last one before them: an outage may have begun long ago and just ended."""
    since = int((clock - _OUTAGES_LOOKED_BACK).timestamp()) // 3600
    until = int(clock.timestamp()) // 3600
    last_before = select(func.max(_HOUR.c.hour)).where(_HOUR.c.hour < since).scalar_subquery()
    hours = select(_HOUR.c.hour).where(_HOUR.c.hour.between(func.coalesce(last_before, since), until)).order_by(_HOUR.c.hour)
    return connection.execute(hours).scalars().all()
