"""What events in columns change: sums, feed progress, signs of life, days of sending, hours. Core.

Every function does for all its events at once what `fold` does for one.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import numpy as np

from monitor.counting.changes import Activity, Changes, FeedProgress
from monitor.counting.event_clock import local_days
from monitor.counting.event_columns import EventColumns, day_of
from monitor.counting.feeds import FEED_OF_TOPIC, Feed
from monitor.counting.groups import Groups
from monitor.counting.sent_days import Sent, SentOn
from schemas.clock import from_millis
from schemas.codec.columns import CodeColumn
from schemas.codec.packed import Numbers
from schemas.events import UnitId
from schemas.kinds.kind import Added
from schemas.topics import KINDS

_HOUR_MS: Final = 3_600_000
_MINUTE_MS: Final = 60_000


def changes_of_columns(events: EventColumns, now_ms: Numbers | int | None) -> Changes:
    """What events change, at least one, none of which has been counted before.

    `now_ms`: when they came, in platform time, where that is known.
    """
    changes = Changes(accepted=len(events))
    _keep(events, changes)
    _note_times(events, changes)
    feed = FEED_OF_TOPIC.get(events.topic)
    if feed is not None:
        _extend_progress(events, feed, changes)
        _show_life(events, feed, now_ms, changes)
        _note_sent(events, feed, changes)
    return changes


def can_add(events: EventColumns) -> bool:
    """Whether events of this kind are added up by codes and business dates; the others are few, and come one by one."""
    kind = KINDS[events.topic]
    return (
        isinstance(kind.kept, Added)
        and kind.has_business_date
        and all(name == "business_date" or isinstance(events.columns[name], CodeColumn) for name in kind.kept.key)
    )


def _keep(events: EventColumns, changes: Changes) -> None:
    kept = KINDS[events.topic].kept
    if not isinstance(kept, Added):
        raise TypeError(f"{events.topic} is not added up")
    groups = Groups([_key(events, name) for name in kept.key])
    keys = zip(*(_texts(events, name, groups.first) for name in kept.key), strict=True)
    sums = zip(groups.counts(), *(_sums(events, name, groups) for name in kept.sums.values()), strict=True)
    changes.keep(events.topic, dict(zip(keys, sums, strict=True)))


def _key(events: EventColumns, name: str) -> Numbers:
    column = events.columns[name]
    return column.places if isinstance(column, CodeColumn) else events.numbers(name)


def _texts(events: EventColumns, name: str, rows: Numbers) -> Sequence[Any]:
    column = events.columns[name]
    if isinstance(column, CodeColumn):
        return [column.codes[place] for place in column.places[rows].tolist()]
    return _days(events.numbers(name)[rows].tolist())


def _sums(events: EventColumns, name: str, groups: Groups) -> Sequence[int | None]:
    """None where no event of a group carries the number."""
    present = events.present(name)
    if present is not None and not present.any():
        return [None] * len(groups.first)
    sums = groups.sums(events.numbers(name))
    if present is None:
        return sums
    return [total if carried else None for total, carried in zip(sums, groups.sums(present), strict=True)]


def _note_times(events: EventColumns, changes: Changes) -> None:
    """Hours in which events happened, and the greatest event time, of those that were not ahead of their receipt."""
    moments = events.moments[events.moments >= events.numbers("event_time")]
    if len(moments):
        changes.hours.update(np.unique(moments // _HOUR_MS).tolist())
        changes.greatest_event_at = from_millis(int(moments.max()))


def _extend_progress(events: EventColumns, feed: Feed, changes: Changes) -> None:
    groups = Groups([events.codes("unit_id").places])
    days = np.minimum(events.numbers("business_date"), local_days(events.moments))
    extremes = zip(groups.least(events.moments), groups.greatest(events.moments), groups.greatest(days), strict=True)
    for unit_id, (first, last, day) in zip(_units(events, groups), extremes, strict=True):
        changes.progress[unit_id, feed] = FeedProgress(from_millis(first), from_millis(last), day_of(day))


def _show_life(events: EventColumns, feed: Feed, now_ms: Numbers | int | None, changes: Changes) -> None:
    at = events.moments if now_ms is None else np.maximum(events.moments, now_ms)
    hours, minutes = at // _HOUR_MS, at % _HOUR_MS // _MINUTE_MS
    groups = Groups([events.codes("unit_id").places, hours])
    places = zip(_units(events, groups), hours[groups.first].tolist(), strict=True)
    records = groups.sums(events.numbers("record_count"))
    found = zip(groups.counts(), records, groups.least(minutes), groups.greatest(minutes), strict=True)
    for (unit_id, hour), activity in zip(places, found, strict=True):
        changes.activity[unit_id, feed, hour] = Activity(*activity)


def _note_sent(events: EventColumns, feed: Feed, changes: Changes) -> None:
    days, sent_on = events.numbers("business_date"), local_days(events.moments)
    wrong_by = np.rint((events.numbers("event_time") - events.moments) / 1000).astype(np.int64)
    records = events.numbers("record_count")
    groups = Groups([events.codes("unit_id").places, days, sent_on])
    first = groups.first
    places = zip(_units(events, groups), _days(days[first].tolist()), _days(sent_on[first].tolist()), strict=True)
    counts = zip(
        groups.counts(),
        groups.sums(records),
        groups.sums(records == 0),
        groups.sums(wrong_by > 0),
        groups.sums(wrong_by < 0),
        groups.greatest(np.maximum(wrong_by, 0)),
        groups.greatest(np.maximum(-wrong_by, 0)),
        strict=True,
    )
    for (unit_id, day, sent), found in zip(places, counts, strict=True):
        changes.sent[SentOn(unit_id, feed, day, sent)] = Sent(*found)


def _units(events: EventColumns, groups: Groups) -> list[UnitId]:
    units = events.codes("unit_id")
    return [UnitId(units.codes[place]) for place in units.places[groups.first].tolist()]


def _days(days: Sequence[int]) -> list[date]:
    return list(map(day_of, days))
