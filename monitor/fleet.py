"""The fleet at one moment: every unit, every feed, what is true of it. Core: built from read values, compared with the clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from monitor.deadlines import Outage, Rhythms, after_outages, deadline
from monitor.feeds import Feed
from monitor.fold import FeedMark
from schemas.events import UnitId
from schemas.register import Register, Unit


class FeedCondition(StrEnum):
    """What is true of a unit's feed, worst first."""

    SILENT = "silent"
    NEVER_SEEN = "never_seen"
    AWAITED = "awaited"  # never seen, and still within its time
    ON_TIME = "on_time"
    INACTIVE = "inactive"  # nobody uses the feed


@dataclass(frozen=True)
class FeedStatus:
    """One feed of one unit. `deadline` is None while the feed is not in use; `last_event_at` while the unit is unseen."""

    feed: Feed
    condition: FeedCondition
    last_event_at: datetime | None
    deadline: datetime | None


@dataclass(frozen=True)
class UnitStatus:
    """One unit and its feeds, in the order of `Feed`."""

    unit: Unit
    feeds: Sequence[FeedStatus]

    @property
    def seen(self) -> bool:
        """Whether it was ever seen on any feed."""
        return any(feed.last_event_at is not None for feed in self.feeds)


@dataclass(frozen=True)
class Fleet:
    """All units of the register, in its order, judged at `clock` (None before the first event)."""

    clock: datetime | None
    active_since: Mapping[Feed, datetime]
    outages: Sequence[Outage]
    units: Sequence[UnitStatus]


def judge(
    register: Register,
    clock: datetime | None,
    marks: Mapping[tuple[UnitId, Feed], FeedMark],
    outages: Sequence[Outage],
    rhythms: Rhythms,
) -> Fleet:
    """Judge every feed of every unit at the platform clock. A feed is active once any unit has used it."""
    active_since: dict[Feed, datetime] = {}
    for (_, feed), mark in marks.items():
        active_since[feed] = min(active_since.get(feed, mark.first_event_at), mark.first_event_at)

    def status(unit: Unit, feed: Feed) -> FeedStatus:
        mark = marks.get((unit.unit_id, feed))
        last_event_at = None if mark is None else mark.last_event_at
        if feed not in active_since:
            return FeedStatus(feed, FeedCondition.INACTIVE, last_event_at, None)
        due = deadline(feed, mark, active_since[feed], rhythms.of(unit.unit_id))
        due = after_outages(due, outages, timedelta(hours=rhythms.recovery))
        overdue = clock is not None and due < clock
        if mark is None:
            condition = FeedCondition.NEVER_SEEN if overdue else FeedCondition.AWAITED
        else:
            condition = FeedCondition.SILENT if overdue else FeedCondition.ON_TIME
        return FeedStatus(feed, condition, last_event_at, due)

    units = [UnitStatus(unit, [status(unit, feed) for feed in Feed]) for unit in register.units.values()]
    return Fleet(clock, active_since, outages, units)
