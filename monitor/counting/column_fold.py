"""Fold events in columns, with the very changes that `fold` makes of them. Core.

Events whose numbers go forward are counted in columns, and so are those that come again. All others go through `fold`, one by
one and after them: numbers that fill a gap or were counted as another event, streams with events that are no columns, units that
may send an event again in another series.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from monitor.counting.activity import LIVE_WITHIN, mostly_live
from monitor.counting.changes import Arrival, Changes
from monitor.counting.column_changes import changes_of_columns
from monitor.counting.column_streams import StreamRows
from monitor.counting.event_columns import EventColumns
from monitor.counting.fold import Known, Touched, take, touched
from monitor.counting.streams import StreamKey, stream_of
from schemas.clock import to_millis

_LIVE_WITHIN_MS: Final = round(LIVE_WITHIN.total_seconds() * 1000)


@dataclass(frozen=True)
class ColumnArrivals:
    """The events of a batch: most in columns, and `others` that could only be read one by one, in offset order."""

    events: EventColumns
    others: Sequence[Arrival] = ()

    def touched(self) -> Mapping[StreamKey, Touched]:
        """The streams of the events, in the order in which they first appear."""
        found = {key: (offset, streams) for offset, key, streams in self._streams.touched()}
        firsts = {stream_of(event): offset for offset, event, _ in reversed(self.others)}
        for key, streams in touched(self.others).items():
            before = found.get(key)
            offset = firsts[key] if before is None else min(before[0], firsts[key])
            found[key] = (offset, streams if before is None else before[1].joined(streams))
        return {key: found[key][1] for key in sorted(found, key=lambda key: found[key][0])}

    def units(self) -> Counter[str]:
        """How many events each unit sent."""
        units = self.events.codes("unit_id")
        counts = np.bincount(units.places)
        found = Counter({units.codes[place]: int(counts[place]) for place in np.flatnonzero(counts).tolist()})
        found.update(event.unit_id for _, event, _ in self.others)
        return found

    def fold(self, known: Known) -> Changes:
        """Count the events: see `fold`, whose promises hold."""
        live = self._live()
        forward = self._streams.forward(known, {stream_of(event) for _, event, _ in self.others})
        events = self.events if forward.all() else self.events.take(forward)
        changes = Changes()
        if len(events):
            now_ms = events.received_ms if live else None if known.clock is None else to_millis(known.clock)
            changes = changes_of_columns(events, now_ms)
            (self._streams if events is self.events else StreamRows(events)).count(known)
        others = self.events.take(~forward)
        again = StreamRows(others).again(known)
        changes.duplicates = int(again.sum())
        take(self._in_order(others.take(~again)), known, changes, live=live)
        return changes

    def rows(self) -> Sequence[Arrival]:
        """The events one by one."""
        return self._in_order(self.events)

    @cached_property
    def _streams(self) -> StreamRows:
        return StreamRows(self.events)

    def _in_order(self, events: EventColumns) -> Sequence[Arrival]:
        return sorted([*events.arrivals(), *self.others])  # each begins with its offset, and has one of its own

    def _live(self) -> bool:
        """See `receipts_are_live`."""
        units = self.events.codes("unit_id")
        is_near = np.abs(self.events.received_ms - self.events.numbers("event_time")) <= _LIVE_WITHIN_MS
        near = {units.codes[place] for place in np.unique(units.places[is_near]).tolist()}
        near |= {event.unit_id for _, event, received_at in self.others if abs(received_at - event.event_time) <= LIVE_WITHIN}
        return mostly_live(near, self.units())
