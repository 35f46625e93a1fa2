"""Decoded events of one topic in columns, and any of them as events. Core."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Final

from monitor.counting.changes import Arrival
from monitor.counting.event_clock import believed_moments
from schemas.clock import from_days, from_millis
from schemas.codec.columns import CodeColumn, Column, NumberColumn, TextColumn, column_of
from schemas.codec.packed import Marks, Numbers
from schemas.topics import KINDS, Topic


@dataclass(frozen=True)
class EventColumns:
    """Events in offset order: a column for each field, and when the messages were received (milliseconds since 1970, UTC)."""

    topic: Topic
    offsets: Numbers
    received_ms: Numbers
    columns: Mapping[str, Column]

    def __len__(self) -> int:
        return len(self.offsets)

    def take(self, rows: Numbers | Marks) -> "EventColumns":
        """Some of the events, in the order of `rows`."""
        columns = {name: column.take(rows) for name, column in self.columns.items()}
        return EventColumns(self.topic, self.offsets[rows], self.received_ms[rows], columns)

    def numbers(self, name: str) -> Numbers:
        """A field that holds numbers, 0 where there is none; dates are days since 1970, moments milliseconds."""
        return column_of(self.columns, name, NumberColumn).values

    def present(self, name: str) -> Marks | None:
        """Which events carry a number; None if all do."""
        column = self.columns[name]
        return column.present if isinstance(column, NumberColumn) else None

    def codes(self, name: str) -> CodeColumn:
        """A field that holds one of few texts."""
        return column_of(self.columns, name, CodeColumn)

    def texts(self, name: str) -> TextColumn:
        """A field that holds a text of its own in each event."""
        return column_of(self.columns, name, TextColumn)

    @cached_property
    def moments(self) -> Numbers:
        """When each event happened, as far as its clock can be believed; see `believed_moment`."""
        return believed_moments(self.numbers("event_time"), self.received_ms, self.numbers("business_date"))

    def arrivals(self) -> list[Arrival]:
        """All of them one by one."""
        event_of: Any = KINDS[self.topic].event
        names = [name for name in event_of.__slots__ if name in self.columns]
        values = zip(*(_values(name, self.columns[name]) for name in names), strict=True)
        events = [event_of(*found) for found in values]
        received = map(from_millis, self.received_ms.tolist())
        return list(map(Arrival, self.offsets.tolist(), events, received))


day_of: Final = cache(from_days)
"""A century has fewer than 40,000 days."""


def _values(name: str, column: Column) -> list[Any]:
    if isinstance(column, CodeColumn):
        codes = column.codes
        return [codes[place] for place in column.places.tolist()]
    if isinstance(column, TextColumn):
        spans = zip(column.starts.tolist(), column.lengths.tolist(), strict=True)
        return [column.packed.slice(start, length).decode() for start, length in spans]
    values = column.values.tolist()
    if name == "business_date":
        return list(map(day_of, values))
    if name == "event_time":
        return list(map(from_millis, values))
    if column.present is None:
        return list(values)
    return [value if is_there else None for value, is_there in zip(values, column.present.tolist(), strict=True)]
