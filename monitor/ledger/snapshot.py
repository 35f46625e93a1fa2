"""The ledger at one moment: facts only, no verdicts. Shell, read-only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Engine, func, select

from monitor.counting.changes import FeedProgress
from monitor.counting.feeds import Feed
from monitor.ledger import tables
from monitor.ledger.activity import FeedHourRow, read_feed_hours
from monitor.ledger.canaries import CanaryArrival, read_canaries
from monitor.ledger.database import reading
from monitor.ledger.errors import friendly_errors
from monitor.ledger.incidents import read_incidents
from monitor.ledger.statements import table_of
from monitor.ledger.unknown_senders import UnknownSender, read_unknown_senders
from schemas.events import UnitId

_CLOCK: Final = table_of(tables.PlatformClock)
_HOUR: Final = table_of(tables.ActiveHour)
_FEED: Final = table_of(tables.FeedState)
_STREAM: Final = table_of(tables.StreamState)
_GAP: Final = table_of(tables.OpenGap)
_LETTER_COUNT: Final = table_of(tables.DeadLetterCount)
_DELIVERY: Final = table_of(tables.Delivery)
LOOKED_BACK: Final = timedelta(days=14)
"""An outage that ended earlier no longer touches a deadline that matters: whoever is silent since then is silent."""


@dataclass(frozen=True)
class TopicCounts:
    """Events of one topic since the beginning."""

    accepted: int
    duplicates: int


@dataclass(frozen=True)
class LedgerFacts:
    """The ledger at one moment (`read_at`, wall time). `clock` is platform time, `clock_advanced_at` wall time.

    `active_hours`: hours since 1970, in order, in which anybody sent anything: those that are looked back on, and the last
    one before them. `feed_hours`: the hours in which each feed was alive, from the asked one on.
    """

    read_at: datetime
    clock: datetime | None
    clock_advanced_at: datetime
    progress: Mapping[tuple[UnitId, Feed], FeedProgress]
    active_hours: Sequence[int]
    topics: Mapping[str, TopicCounts]
    missing: Mapping[tuple[UnitId, str], int]
    dead_letters: Mapping[tuple[str, str], int]
    watchdog_at: datetime | None
    feed_hours: Sequence[FeedHourRow] = ()
    open_incidents: Sequence[tables.Incident] = ()
    unknown_senders: Sequence[UnknownSender] = ()
    canaries: Sequence[CanaryArrival] = ()


def read_facts(engine: Engine, hours_since: int | None = None) -> LedgerFacts:
    """Read everything in one read transaction; of the hours of activity those from `hours_since` (since 1970) on, if asked for.

    Raises LedgerUnavailable.
    """
    read_at = datetime.now(UTC)  # what changes from here on may not be in it
    with friendly_errors(engine), reading(engine) as connection:
        clock, advanced_at = connection.execute(select(_CLOCK.c.complete_until, _CLOCK.c.advanced_at)).one()
        progress = {
            (UnitId(row.unit_id), Feed(row.feed)): FeedProgress(row.first_event_at, row.last_event_at, row.last_business_date)
            for row in connection.execute(select(_FEED))
        }
        counts = connection.execute(
            select(_STREAM.c.topic, func.sum(_STREAM.c.accepted), func.sum(_STREAM.c.duplicates)).group_by(_STREAM.c.topic)
        )
        gaps = connection.execute(
            select(_GAP.c.unit_id, _GAP.c.topic, func.sum(_GAP.c.last_missing - _GAP.c.first_missing + 1)).group_by(
                _GAP.c.unit_id, _GAP.c.topic
            )
        )
        return LedgerFacts(
            read_at=read_at,
            clock=clock,
            clock_advanced_at=advanced_at,
            progress=progress,
            active_hours=[] if clock is None else _active_hours(connection, clock),
            feed_hours=() if hours_since is None else read_feed_hours(connection, hours_since),
            topics={topic: TopicCounts(int(accepted), int(duplicates)) for topic, accepted, duplicates in counts},
            missing={(UnitId(unit_id), topic): int(missing) for unit_id, topic, missing in gaps},
            dead_letters={(row.topic, row.reason): row.total for row in connection.execute(select(_LETTER_COUNT))},
            watchdog_at=connection.execute(select(_DELIVERY.c.last_at).where(_DELIVERY.c.alertname == "Watchdog")).scalar(),
            open_incidents=read_incidents(connection, open_only=True),
            unknown_senders=read_unknown_senders(connection),
            canaries=read_canaries(connection),
        )


def _active_hours(connection: Connection, clock: datetime) -> Sequence[int]:
    """The active hours looked back on, and the last one before them: an outage may have begun long ago and just ended."""
    since = int((clock - LOOKED_BACK).timestamp()) // 3600
    until = int(clock.timestamp()) // 3600
    last_before = select(func.max(_HOUR.c.hour)).where(_HOUR.c.hour < since).scalar_subquery()
    hours = select(_HOUR.c.hour).where(_HOUR.c.hour.between(func.coalesce(last_before, since), until)).order_by(_HOUR.c.hour)
    return connection.execute(hours).scalars().all()
