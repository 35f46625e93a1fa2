"""What a batch of events changes in the ledger. Core: values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from monitor.counting.feeds import Feed
from monitor.counting.kept import merge
from monitor.counting.sent_days import Sent, SentOn
from schemas.codec.reasons import Reason
from schemas.events import Event, UnitId
from schemas.topics import Topic

Row = tuple[Any, ...]


@dataclass(slots=True)
class FeedProgress:
    """How far a unit's feed has come: first and latest event (never later than their receipt) and newest business date."""

    first_event_at: datetime
    last_event_at: datetime
    last_business_date: date

    def extend(self, moment: datetime, day: date) -> None:
        """Take in one more event."""
        self.first_event_at = min(self.first_event_at, moment)
        self.last_event_at = max(self.last_event_at, moment)
        self.last_business_date = max(self.last_business_date, day)


@dataclass(slots=True)
class Activity:
    """What a unit's feed brought in one hour: uploads, records, the first and the last minute (0 to 59)."""

    events: int
    records: int
    first_minute: int
    last_minute: int

    def extend(self, other: "Activity") -> None:
        """Take in more uploads of the same hour."""
        self.events += other.events
        self.records += other.records
        self.first_minute = min(self.first_minute, other.first_minute)
        self.last_minute = max(self.last_minute, other.last_minute)


class Arrival(NamedTuple):
    """A decoded event, the offset it stood at, and when it was received (aware)."""

    offset: int
    event: Event
    received_at: datetime


class Refused(NamedTuple):
    """An event that decodes and cannot be counted: the offset at which it stood, and why."""

    offset: int
    reason: Reason


@dataclass(slots=True)
class Changes:
    """What a batch adds. Streams and receipts are carried forward in `Known`, for the next batch of the transaction needs them.

    `kept`: by topic, what its kind keeps of the events (`kept.py`): the columns after the key, by the key. `activity`: by unit,
    feed and hour (since 1970). `accepted` and `duplicates` count events. `hours`: since 1970, in which events happened.
    """

    kept: dict[Topic, dict[Row, Row]] = field(default_factory=dict)
    progress: dict[tuple[UnitId, Feed], FeedProgress] = field(default_factory=dict)
    activity: dict[tuple[UnitId, Feed, int], Activity] = field(default_factory=dict)
    sent: dict[SentOn, Sent] = field(default_factory=dict)
    hours: set[int] = field(default_factory=set)
    greatest_event_at: datetime | None = None
    accepted: int = 0
    duplicates: int = 0
    refused: list[Refused] = field(default_factory=list)

    def keep(self, topic: Topic, rows: Mapping[Row, Row]) -> None:
        """Merge what was kept of later events with what was kept before."""
        kept = self.kept.setdefault(topic, {})
        if kept.keys().isdisjoint(rows):  # of another partition's units
            kept.update(rows)
            return
        for key, values in rows.items():
            before = kept.get(key)
            kept[key] = values if before is None else merge(topic, before, values)

    def extend(self, unit_id: UnitId, feed: Feed, moment: datetime, day: date) -> None:
        """Note one event of a feed."""
        progress = self.progress.get((unit_id, feed))
        if progress is None:
            self.progress[unit_id, feed] = FeedProgress(moment, moment, day)
        else:
            progress.extend(moment, day)

    def show_life(self, unit_id: UnitId, feed: Feed, hour: int, activity: Activity) -> None:
        """Note what a feed brought in an hour (since 1970)."""
        known = self.activity.setdefault((unit_id, feed, hour), activity)
        if known is not activity:
            known.extend(activity)

    def add(self, other: "Changes") -> None:
        """Merge the changes of a later batch; refusals stay with their batch, for offsets are those of its partition."""
        for topic, rows in other.kept.items():
            self.keep(topic, rows)
        for (unit_id, feed), progress in other.progress.items():
            self.extend(unit_id, feed, progress.first_event_at, progress.last_business_date)
            self.extend(unit_id, feed, progress.last_event_at, progress.last_business_date)
        for (unit_id, feed, hour), activity in other.activity.items():
            self.show_life(unit_id, feed, hour, activity)
        for days, sent in other.sent.items():
            if (known := self.sent.setdefault(days, sent)) is not sent:
                known.extend(sent)
        self.hours |= other.hours
        moments = [moment for moment in (self.greatest_event_at, other.greatest_event_at) if moment is not None]
        self.greatest_event_at = max(moments, default=None)
        self.accepted += other.accepted
        self.duplicates += other.duplicates
