"""What is kept of events, by the kind's way of keeping them: added up, the latest, or each. Core.

A row has a key and values. Invariant: whichever way a kind keeps its events, merging the rows of two batches gives the rows
of both as one.
"""

from collections.abc import Callable
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any, Final, NamedTuple, assert_never

from schemas.events import Event
from schemas.kinds.kind import Added, Each, Kind, Latest
from schemas.topics import KINDS, Topic

Row = tuple[Any, ...]
MAX_SUM: Final = 2**63 - 1
"""The greatest number that the ledger's columns hold."""


class Columns(NamedTuple):
    """The columns of a kind's table: those of its key, then its values, of which `optional` may be NULL."""

    key: tuple[str, ...]
    values: tuple[str, ...]
    optional: frozenset[str]


class Keeper(NamedTuple):
    """How rows are made of a kind's events. `row` takes an event and its believed moment."""

    row: Callable[[Event, datetime], tuple[Row, Row]]
    merge: Callable[[Row, Row], Row]


def columns_of(kind: Kind) -> Columns:
    """The columns of `kind`'s table."""
    types = {name: found.type for name, found in kind.event.__dataclass_fields__.items()}
    match kind.kept:
        case Added(key, sums):
            optional = frozenset(column for column, name in sums.items() if types[name] == int | None)
            return Columns(key, ("events", *sums), optional)
        case Latest(key, values):
            return Columns(key, ("event_time", *values), frozenset(name for name in values if types[name] == int | None))
        case Each(moment, values):
            return Columns(("unit_id", moment, "event_id"), values, frozenset())
        case _:
            assert_never(kind.kept)


def keeper_of(kind: Kind) -> Keeper:
    """How rows are made of events of `kind`, and merged."""
    match kind.kept:
        case Added(key, sums):
            key_of, values_of = _getter(key), _getter(tuple(sums.values()))
            return Keeper(lambda event, moment: (key_of(event), (1, *values_of(event))), _sum)
        case Latest(key, values):
            key_of, values_of = _getter(key), _getter(values)
            return Keeper(lambda event, moment: (key_of(event), (moment, *values_of(event))), _later)
        case Each(_, values):
            values_of = _getter(values)
            return Keeper(
                lambda event, moment: ((event.unit_id, moment, event.event_id), tuple(map(_text, values_of(event)))), _first
            )
        case _:
            assert_never(kind.kept)


@cache
def keeper(topic: Topic) -> Keeper:
    """How rows are made of the events of `topic`."""
    return keeper_of(KINDS[topic])


def merge(topic: Topic, before: Row, after: Row) -> Row:
    """The values of one key, of earlier and of later events."""
    return keeper(topic).merge(before, after)


def too_great(topic: Topic, values: Row) -> bool:
    """Whether a sum among `values` is more than the ledger holds."""
    return isinstance(KINDS[topic].kept, Added) and any(value is not None and value > MAX_SUM for value in values)


def _sum(before: Row, after: Row) -> Row:
    return tuple(map(_plus, before, after))


def _plus(before: int | None, after: int | None) -> int | None:
    if after is None:
        return before
    return after if before is None else before + after


def _later(before: Row, after: Row) -> Row:
    return after if after[0] >= before[0] else before


def _first(before: Row, _after: Row) -> Row:
    return before


def _text(value: Any) -> Any:
    """Codes hold no space."""
    return " ".join(value) if isinstance(value, tuple) else value


def _getter(names: tuple[str, ...]) -> Callable[[Event], Row]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda event: tuple(getattr(event, name) for name in names)
