"""On which day a unit sent what for which business date, and how wrong the clock was that stamped it. Core."""

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from datetime import date, datetime
from operator import attrgetter
from typing import Final, NamedTuple

from monitor.counting.feeds import Feed
from schemas.clock import local_date
from schemas.events import Event, UnitId

records_of: Final[Callable[[Event], int]] = attrgetter("record_count")
"""How much an event holds: every kind that has a feed says so."""


class SentOn(NamedTuple):
    """Uploads of one feed for one business date that were sent on one day (local, as far as the clock can be believed)."""

    unit_id: UnitId
    feed: Feed
    business_date: date
    sent_on: date


@dataclass(slots=True)
class Sent:
    """Counts of such uploads. `empty` of them held no document.

    `ahead` were stamped after their receipt, by at most `ahead_seconds`; `behind` before their business date, by at most
    `behind_seconds`.
    """

    events: int = 0
    records: int = 0
    empty: int = 0
    ahead: int = 0
    behind: int = 0
    ahead_seconds: int = 0
    behind_seconds: int = 0

    def extend(self, other: "Sent") -> None:
        """Take in more uploads of the same days."""
        self.events += other.events
        self.records += other.records
        self.empty += other.empty
        self.ahead += other.ahead
        self.behind += other.behind
        self.ahead_seconds = max(self.ahead_seconds, other.ahead_seconds)
        self.behind_seconds = max(self.behind_seconds, other.behind_seconds)


def note_sent(sent: MutableMapping[SentOn, Sent], event: Event, feed: Feed, moment: datetime) -> None:
    """Add one event, whose believed moment is `moment`."""
    wrong_by = round((event.event_time - moment).total_seconds())
    ahead, behind = max(0, wrong_by), max(0, -wrong_by)
    records = records_of(event)
    sent_on = local_date(moment)
    one = Sent(1, records, int(not records), int(ahead > 0), int(behind > 0), ahead, behind)
    place = SentOn(event.unit_id, feed, getattr(event, "business_date", sent_on), sent_on)
    if (known := sent.setdefault(place, one)) is not one:
        known.extend(one)
