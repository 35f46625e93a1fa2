"""What is expected of the units, and when. Core.

No public rule fixes these rhythms: they are this project's defaults, every one can be changed, also for a single unit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from monitor.counting.feeds import Feed
from monitor.judgement.calendar import Calendar
from schemas.events import UnitId

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
Week = Sequence[Sequence[float]]
"""By weekday (0: Monday) and hour of a feed's last upload: the hours that it may say nothing after it."""


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
    hours that they have to deliver afterwards, if their deadline fell into that time. `weeks`: whole weeks that were set, as
    learned ones are when they are frozen; public holidays and make-up workdays do not count in them. `calendar`: which days these
    are, where the published calendar does not know it, or does not hold.
    """

    default: Rhythm = field(default_factory=Rhythm)
    units: Mapping[UnitId, Rhythm] = field(default_factory=dict)
    outage: float = 6.0
    recovery: float = 2.0
    weeks: Mapping[tuple[UnitId, Feed], Week] = field(default_factory=dict)
    calendar: Calendar = field(default_factory=Calendar)

    def of(self, unit_id: UnitId) -> Rhythm:
        """The rhythm of a unit."""
        return self.units.get(unit_id, self.default)
