"""The platform at one moment: every unit, every feed, what is true of it. Core: read values, compared with the clock."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from monitor.counting.changes import FeedProgress
from monitor.counting.feeds import Feed
from monitor.judgement.calendar import Calendar
from monitor.judgement.deadlines import deadline, week_deadline
from monitor.judgement.outages import Outage, after_outages
from monitor.judgement.rhythms import Rhythms
from schemas.clock import local_date, start_of_day
from schemas.events import UnitId
from schemas.register import Life, Register, Unit

EVERYWHERE_SHARE: Final = 0.9
EVERYWHERE_LEAST: Final = 3
"""So many of a feed's units, and at least so many, are silent when the feed is silent everywhere: one incident."""


class FeedCondition(StrEnum):
    """What is true of a unit's feed, worst first."""

    SILENT = "silent"
    NEVER_SEEN = "never_seen"
    IN_OUTAGE = "in_outage"  # quiet with its whole feed, district or vendor: not its own silence
    LATE = "late"  # later than it usually is; no call
    AWAITED = "awaited"  # never seen, and still within its time
    ON_TIME = "on_time"
    INACTIVE = "inactive"  # nobody uses the feed
    NOT_EXPECTED = "not_expected"  # by the register: of the unit on this feed, or of the unit at all


@dataclass(frozen=True)
class FeedStatus:
    """One feed of one unit. `last_event_at` is None while the unit is unseen.

    `deadline` is None while the feed is not in use, or nothing is expected of the unit on it. `since`: when the condition
    began, where it is silent, late or never seen: the deadline that was passed.
    """

    feed: Feed
    condition: FeedCondition
    last_event_at: datetime | None
    deadline: datetime | None
    since: datetime | None = None


@dataclass(frozen=True)
class OutageStatus:
    """An outage that is open: whose, on which feed, and since when. Parts of one failure share a number."""

    number: int
    kind: str
    value: str
    feed: Feed
    since: datetime
    units: Sequence[UnitId]


@dataclass(frozen=True)
class UnitStatus:
    """One unit, where it stands in its life, and its feeds in the order of `Feed`. Only of an active one anything is expected."""

    unit: Unit
    feeds: Sequence[FeedStatus]
    life: Life = Life.ACTIVE

    @property
    def seen(self) -> bool:
        """Whether it was ever seen on any feed."""
        return any(feed.last_event_at is not None for feed in self.feeds)


@dataclass(frozen=True)
class PlatformStatus:
    """All units of the register, in its order, judged at `clock` (None before the first event).

    `outages_over`: when outages of many that are over ended, by their number.
    """

    clock: datetime | None
    active_since: Mapping[Feed, datetime]
    outages: Sequence[Outage]
    units: Sequence[UnitStatus]
    open_outages: Sequence[OutageStatus] = ()
    outages_over: Mapping[int, datetime] = field(default_factory=dict)

    @property
    def silent_everywhere(self) -> Mapping[Feed, float]:
        """The feeds that are silent everywhere, with the share of the units once seen on it, and expected, that are.

        Who is in an outage of many is expected, and not silent: who was silent before is not everybody.
        """
        silent, seen = Counter[Feed](), Counter[Feed]()
        for unit in self.units:
            for feed in unit.feeds:
                expected = feed.deadline is not None or feed.condition is FeedCondition.IN_OUTAGE
                if expected and feed.last_event_at is not None:
                    seen[feed.feed] += 1
                    silent[feed.feed] += feed.condition is FeedCondition.SILENT
        return {
            feed: count / seen[feed]
            for feed, count in silent.items()
            if count >= EVERYWHERE_LEAST and count >= EVERYWHERE_SHARE * seen[feed]
        }


def hand_set(rhythms: Rhythms, unit_id: UnitId, feed: Feed) -> bool:
    """Whether somebody has set what is expected of this unit's feed: then nothing that was learned overrules it."""
    if (unit_id, feed) in rhythms.weeks:
        return True
    own, default = rhythms.of(unit_id), rhythms.default
    if feed is Feed.SCHEDULED:
        return own.scheduled_due != default.scheduled_due
    said, by_default = ((one.realtime_quiet, one.service_from, one.service_to) for one in (own, default))
    return said != by_default


def judge(
    register: Register,
    clock: datetime | None,
    progress: Mapping[tuple[UnitId, Feed], FeedProgress],
    outages: Sequence[Outage],
    rhythms: Rhythms,
    learned: Mapping[tuple[UnitId, Feed], FeedStatus] | None = None,
    open_outages: Sequence[OutageStatus] = (),
    calendar: Calendar | None = None,
) -> PlatformStatus:
    """Judge every feed of every unit at the platform clock. A feed is active once any unit has used it.

    A unit's time begins with the register's date: what it sent before that makes it neither silent nor late. `learned` holds
    what the units' own rhythms say of the feeds that were ever seen; it yields to what is set by hand.
    """
    day = None if clock is None else local_date(clock)
    active_since: dict[Feed, datetime] = {}
    for (_, feed), found in progress.items():
        active_since[feed] = min(active_since.get(feed, found.first_event_at), found.first_event_at)

    def status(unit: Unit, feed: Feed) -> FeedStatus:
        found = progress.get((unit.unit_id, feed))
        last_event_at = None if found is None else found.last_event_at
        if day is not None and not unit.expects(feed, day):
            return FeedStatus(feed, FeedCondition.NOT_EXPECTED, last_event_at, None)
        if feed not in active_since:
            return FeedStatus(feed, FeedCondition.INACTIVE, None, None)
        rhythm = rhythms.of(unit.unit_id)
        begins = unit.expected_since(feed)
        since = active_since[feed] if begins is None else max(active_since[feed], start_of_day(begins))
        own = (learned or {}).get((unit.unit_id, feed))
        if own is not None and found is not None and found.last_event_at >= since and not hand_set(rhythms, unit.unit_id, feed):
            return replace(own, last_event_at=last_event_at)
        week = rhythms.weeks.get((unit.unit_id, feed))
        if week is not None and found is not None:
            due = week_deadline(found.last_event_at, week, calendar or rhythms.calendar)
        else:
            due = deadline(feed, found, since, rhythm)
        if found is not None and found.last_event_at < since:
            due = max(due, since + timedelta(hours=rhythm.never_seen))
        due = after_outages(due, outages, timedelta(hours=rhythms.recovery))
        overdue = clock is not None and due < clock
        if found is None:
            condition = FeedCondition.NEVER_SEEN if overdue else FeedCondition.AWAITED
        else:
            condition = FeedCondition.SILENT if overdue else FeedCondition.ON_TIME
        return FeedStatus(feed, condition, last_event_at, due, due if overdue else None)

    units = [
        UnitStatus(unit, [status(unit, feed) for feed in Feed], unit.status if day is None else unit.life_on(day))
        for unit in register.units.values()
    ]
    return PlatformStatus(clock, active_since, outages, units, open_outages)
