"""What a kind of event is: its fields, its feed, and how what it says is kept. Core.

A kind is a value. Decoding, folding, posting, the ledger's tables and the comparison of sums go over the kinds and know none
of them by name, so a new one is a file in this folder, a schema and a migration.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Protocol

from schemas.feeds import Feed
from schemas.identifiers import UnitId


class Event(Protocol):
    """What every event carries: a frozen dataclass whose fields are named as in its schema.

    `event_time` is aware UTC; `sequence` is 1, 2, 3 … within unit, topic and series. Amounts are whole cents; None means
    "not carried", which is not 0.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def event_id(self) -> str: ...
    @property
    def unit_id(self) -> UnitId: ...
    @property
    def event_time(self) -> datetime: ...
    @property
    def series(self) -> str: ...
    @property
    def sequence(self) -> int: ...


@dataclass(frozen=True)
class Added:
    """Events of one `key` are added up: `events` counts them, `sums` are columns and the fields that they add.

    A sum whose field may be None is NULL until an event carries it.
    """

    key: tuple[str, ...]
    sums: Mapping[str, str]


@dataclass(frozen=True)
class Latest:
    """Of the events of one `key` the one with the latest event time is kept, with its `values`."""

    key: tuple[str, ...]
    values: tuple[str, ...]


@dataclass(frozen=True)
class Each:
    """Every event is kept, by unit, event time and event id; `moment` names the column of its event time."""

    moment: str
    values: tuple[str, ...]


Keeping = Added | Latest | Each


@dataclass(frozen=True)
class Total:
    """The sum of a column over the month's dates; none where no event carried it."""

    column: str


@dataclass(frozen=True)
class Days:
    """The month's dates on which `column` is more than 0."""

    column: str


@dataclass(frozen=True)
class Distinct:
    """How many values of `code` there are where `column` is more than 0: in the month, or `ever` up to its end."""

    code: str
    column: str
    ever: bool = False


@dataclass(frozen=True)
class Newest:
    """What the unit said last: in the month, or up to its end if the kind has no business date. Of a list its length."""

    column: str


Figure = Total | Days | Distinct | Newest


@dataclass(frozen=True)
class Kind:
    """One kind of event. `table` is the ledger's table for it; nobody is silent for not sending a kind that has no `feed`.

    A kind with a feed says with `record_count` how much an event holds: an upload of nothing is a finding. `chapter` is what
    it brings to the bulletin of a month: figures of a unit, by their names.
    """

    event: type[Event]
    table: str
    kept: Keeping
    feed: Feed | None = None
    chapter: Mapping[str, Figure] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.feed is not None and "record_count" not in self.event.__dataclass_fields__:
            raise ValueError(f"{self.event.__name__} has a feed, and no record_count that says how much an event holds")
        newest = [isinstance(figure, Newest) for figure in self.chapter.values()]
        if any(newest) and not all(newest):
            raise ValueError(f"{self.event.__name__} mixes what was said last with what is added up in its chapter")

    @property
    def has_business_date(self) -> bool:
        """Whether its events say on which day the care happened; the others are dated by their event time."""
        return "business_date" in self.event.__dataclass_fields__
