"""When a feed becomes overdue. Core.

No public rule fixes these rhythms: they are this project's defaults, every one can be changed, also for a single unit.
Deadlines are platform time: they are compared with the platform clock, never with the wall.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from monitor.feeds import Feed
from monitor.fold import FeedMark
from schemas.clock import local_date, start_of_day
from schemas.events import UnitId


@dataclass(frozen=True)
class Rhythm:
    """What is expected of a unit, in hours.

    `scheduled_due`: a business date is due this long after the day that follows it has begun (24: by that day's end).
    `realtime_quiet`: how long a realtime feed may say nothing, counted only between `service_from` and `service_to`
    o'clock (local time). `never_seen`: how long a unit may take for its first upload once anybody uses the feed.
    """

    scheduled_due: float = 24.0
    realtime_quiet: float = 2.0
    service_from: float = 8.0
    service_to: float = 20.0
    never_seen: float = 72.0


@dataclass(frozen=True)
class Rhythms:
    """The default rhythm and the units that differ.

    `outage`: when no unit at all sent anything for this many hours, the platform was out, not the units; `recovery`: the
    hours that they have to deliver afterwards, if their deadline fell into that time.
    """

    default: Rhythm = field(default_factory=Rhythm)
    units: Mapping[UnitId, Rhythm] = field(default_factory=dict)
    outage: float = 6.0
    recovery: float = 2.0

    def of(self, unit_id: UnitId) -> Rhythm:
        """The rhythm of a unit."""
        return self.units.get(unit_id, self.default)


class Outage(NamedTuple):
    """A time in which nothing arrived from anybody: from `start` up to, not including, `end`."""

    start: datetime
    end: datetime


def deadline(feed: Feed, mark: FeedMark | None, active_since: datetime, rhythm: Rhythm) -> datetime:
    """When the feed becomes overdue. `mark` is None for a unit that has never been seen on it."""
    if mark is None:
        return active_since + timedelta(hours=rhythm.never_seen)
    if feed is Feed.SCHEDULED:
        next_date = mark.last_business_date + timedelta(days=1)
        return start_of_day(next_date + timedelta(days=1)) + timedelta(hours=rhythm.scheduled_due)
    return _after_service_time(mark.last_event_at, rhythm)


def after_outages(moment: datetime, outages: Sequence[Outage], recovery: timedelta) -> datetime:
    """A deadline that fell into an outage moves to its end plus the time to recover. `outages` are in order of time."""
    for outage in outages:
        if outage.start <= moment < outage.end + recovery:
            moment = outage.end + recovery
    return moment


def outages(active_hours: Sequence[int], until: datetime, least: timedelta) -> list[Outage]:
    """The times of at least `least` without any event between the first active hour and `until`.

    `active_hours` are hours since 1970 in order. An hour in which one event fell counts as active as a whole.
    """
    found = []
    for hour, following in pairwise([*active_hours, int(until.timestamp()) // 3600]):
        outage = Outage(_hour(hour + 1), _hour(following))
        if outage.end - outage.start >= least:
            found.append(outage)
    return found


def _hour(hour: int) -> datetime:
    return datetime.fromtimestamp(hour * 3600, UTC)


def _after_service_time(start: datetime, rhythm: Rhythm) -> datetime:
    """`realtime_quiet` hours after `start`, counted within service hours only."""
    left = timedelta(hours=rhythm.realtime_quiet)
    opens, closes = timedelta(hours=rhythm.service_from), timedelta(hours=rhythm.service_to)
    day = local_date(start)
    while True:
        midnight = start_of_day(day)
        begin = max(start, midnight + opens)
        end = midnight + closes
        if begin + left <= end:
            return begin + left
        left -= max(end - begin, timedelta(0))
        day += timedelta(days=1)
