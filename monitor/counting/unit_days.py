"""What the ledger knows of units day by day, as rows: what the rules are fed with. Core: values only."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from monitor.counting.feeds import Feed
from schemas.events import TableCode


class Measures(NamedTuple):
    """What the uploads of one business date carried; None: no upload carried it."""

    visits: int | None = None
    discharges: int | None = None
    outpatient_cents: int | None = None
    inpatient_cents: int | None = None


class Arrivals(NamedTuple):
    """Uploads of one feed that were sent on one day for one business date.

    `empty` of them held no document. `ahead` and `behind` were stamped by a clock that was evidently wrong, by at most
    `ahead_seconds` and `behind_seconds`.
    """

    sent_on: date
    business_date: date
    events: int
    records: int
    empty: int = 0
    ahead: int = 0
    behind: int = 0
    ahead_seconds: int = 0
    behind_seconds: int = 0


class HealthDay(NamedTuple):
    """A district's cumulative totals as of one day."""

    day: date
    base: int | None
    hypertension: int | None
    diabetes: int | None


class GapFacts(NamedTuple):
    """Sequence numbers of one feed that are missing now; `since` is the business date of the event after them."""

    feed: Feed
    first: int
    last: int
    since: date


class UploadRow(NamedTuple):
    """One table and business date of a unit."""

    unit_id: str
    code: str
    day: date
    events: int
    records: int
    measures: Measures


class FormRow(NamedTuple):
    """One realtime form and business date of a unit."""

    unit_id: str
    code: str
    day: date
    events: int
    records: int


class FeedRow(NamedTuple):
    """How far a feed has come."""

    unit_id: str
    feed: Feed
    first_event_at: datetime
    last_event_at: datetime


class DeclarationRow(NamedTuple):
    """A unit's last declaration."""

    unit_id: str
    declared_at: datetime
    codes: frozenset[TableCode]


@dataclass
class UnitDays:
    """What was read, in any order. `overdue`: feeds past their deadline, and when that was."""

    uploads: Iterable[UploadRow] = ()
    forms: Iterable[FormRow] = ()
    arrivals: Iterable[tuple[str, Feed, Arrivals]] = ()
    feeds: Iterable[FeedRow] = ()
    ever: Iterable[tuple[str, TableCode]] = ()
    declarations: Iterable[DeclarationRow] = ()
    health: Iterable[tuple[str, HealthDay]] = ()
    gaps: Iterable[tuple[str, GapFacts]] = ()
    overdue: Mapping[tuple[str, Feed], datetime] = field(default_factory=dict)
