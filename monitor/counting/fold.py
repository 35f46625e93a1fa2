"""Fold a batch of decoded events into the changes that it makes to the ledger. Core: values in, values out.

Invariant: however the events of a stream are split into batches, the sum of all changes is the same, and an event that comes
again adds nothing but one to `duplicates`: the same id under the same number, or in another series of the unit and topic.
Another event under a number that was counted is a conflict.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

import numpy as np

from monitor.counting.activity import hour_and_minute, receipts_are_live
from monitor.counting.changes import Activity, Arrival, Changes, Refused, Row
from monitor.counting.event_clock import believed_moment
from monitor.counting.feeds import FEED_OF_TOPIC, Feed
from monitor.counting.kept import keeper, merge, too_great
from monitor.counting.receipt_hash import Hasher
from monitor.counting.receipts import OtherSeries, Receipts
from monitor.counting.sent_days import note_sent, records_of
from monitor.counting.streams import Stream, StreamKey, stream_of
from schemas.clock import local_date
from schemas.codec.packed import Numbers
from schemas.codec.reasons import Reason
from schemas.events import Event
from schemas.topics import Topic


@dataclass
class Known:
    """What the ledger knows of the streams of a batch, locked. `fold` carries it forward in place.

    `streams` holds every stream that may be counted; the unit of one that is missing has too many. `room`: what stands in the
    ledger's sums already, when they are near their limit. `clock` is the platform clock before the batch: what comes now is a
    sign of life now, however old it says it is.
    """

    streams: dict[StreamKey, Stream]
    hasher: Hasher
    receipts: Receipts = field(default_factory=Receipts)
    other_series: OtherSeries = field(default_factory=OtherSeries)
    room: dict[tuple[Topic, Row], Row] | None = None
    clock: datetime | None = None


class Touched(NamedTuple):
    """The numbers of one stream in a batch, in any order, and the range of their business dates."""

    numbers: Numbers
    oldest: date
    newest: date

    def joined(self, later: "Touched") -> "Touched":
        """The same with what came later."""
        numbers = np.concatenate([self.numbers, later.numbers])
        return Touched(numbers, min(self.oldest, later.oldest), max(self.newest, later.newest))


def touched(arrivals: Sequence[Arrival]) -> dict[StreamKey, Touched]:
    """The streams of `arrivals`, in the order in which they first appear."""
    numbers: dict[StreamKey, list[int]] = {}
    dates: dict[StreamKey, tuple[date, date]] = {}
    for _, event, received_at in arrivals:
        key, day = stream_of(event), _day(event, received_at)
        numbers.setdefault(key, []).append(event.sequence)
        oldest, newest = dates.get(key, (day, day))
        dates[key] = min(oldest, day), max(newest, day)
    return {key: Touched(np.array(found), *dates[key]) for key, found in numbers.items()}


def fold(arrivals: Sequence[Arrival], known: Known) -> Changes:
    """The changes that `arrivals`, in offset order, make."""
    changes = Changes()
    take(arrivals, known, changes, live=receipts_are_live(arrivals))
    return changes


def take(arrivals: Sequence[Arrival], known: Known, changes: Changes, *, live: bool) -> None:
    """Add to `changes` what `arrivals`, in offset order, make. `live`: whether their receipts tell the platform's time."""
    for arrival, receipt in zip(arrivals, known.hasher.of_ids([found.event.event_id for found in arrivals]), strict=True):
        reason = _take(arrival, receipt, known, changes, arrival.received_at if live else known.clock)
        if reason is not None:
            changes.refused.append(Refused(arrival.offset, reason))


def _take(arrival: Arrival, receipt: bytes, known: Known, changes: Changes, now: datetime | None) -> Reason | None:
    """Count one event, or say why it cannot be counted; `now` is when it came, in platform time, where that is known."""
    event = arrival.event
    key = stream_of(event)
    stream = known.streams.get(key)
    if stream is None:
        return Reason.TOO_MANY_SERIES
    if not stream.awaits(event.sequence):
        if known.receipts.find(key, event.sequence) not in (None, receipt):
            return Reason.SEQUENCE_CONFLICT
        stream.duplicates += 1
        changes.duplicates += 1
        return None
    moment = believed_moment(event, arrival.received_at)
    day = _day(event, arrival.received_at)
    again = known.other_series.has(key, receipt)
    if not again and not _add(event, key, _Times(moment, day, now), known, changes):
        return Reason.SUM_OVERFLOW
    stream.note(event.sequence, day)
    stream.accepted += not again
    stream.duplicates += again
    changes.accepted += not again
    changes.duplicates += again
    known.receipts.add(key, event.sequence, day, receipt)
    known.other_series.add(key, (receipt,))
    return None


class _Times(NamedTuple):
    """When an event happened, as far as its clock is believed, its day (see `_day`), and when it came, in platform time."""

    moment: datetime
    day: date
    now: datetime | None


def _add(event: Event, key: StreamKey, times: _Times, known: Known, changes: Changes) -> bool:
    """Add an event that has not been counted before; False when a sum has no room for it."""
    moment = times.moment
    row, values = keeper(key.topic).row(event, moment)
    if known.room is not None and not _has_room(known.room, key.topic, row, values):
        return False
    changes.keep(key.topic, {row: values})
    stream = known.streams[key]
    stream.ahead += moment < event.event_time
    stream.behind += moment > event.event_time
    if moment >= event.event_time:
        changes.hours.add(int(moment.timestamp()) // 3600)
        if changes.greatest_event_at is None or moment > changes.greatest_event_at:
            changes.greatest_event_at = moment
    feed = FEED_OF_TOPIC.get(key.topic)
    if feed is not None:
        _show_life(event, feed, times, changes)
        note_sent(changes.sent, event, feed, moment)
    return True


def _show_life(event: Event, feed: Feed, times: _Times, changes: Changes) -> None:
    """Note how far a feed has come, and when it was alive."""
    moment, day, now = times
    changes.extend(event.unit_id, feed, moment, min(day, local_date(moment)))
    hour, minute = hour_and_minute(moment if now is None else max(moment, now))
    changes.show_life(event.unit_id, feed, hour, Activity(1, records_of(event), minute, minute))


def _has_room(room: dict[tuple[Topic, Row], Row], topic: Topic, row: Row, values: Row) -> bool:
    before = room.get((topic, row))
    after = values if before is None else merge(topic, before, values)
    if too_great(topic, after):
        return False
    room[topic, row] = after
    return True


def _day(event: Event, received_at: datetime) -> date:
    """The business date of an event; of a kind that has none, the local day on which it happened."""
    day: date | None = getattr(event, "business_date", None)
    return local_date(believed_moment(event, received_at)) if day is None else day


def old_numbers(streams: Mapping[StreamKey, Stream], found: Mapping[StreamKey, Touched]) -> dict[StreamKey, list[int]]:
    """The numbers of a batch that lie before what their stream awaits: their gaps and receipts decide what they are."""
    old = {key: found[key].numbers for key in streams if key in found}
    old = {key: numbers[numbers < streams[key].next_sequence] for key, numbers in old.items()}
    return {key: numbers.tolist() for key, numbers in old.items() if len(numbers)}
