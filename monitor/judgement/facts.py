"""What the rules know of a unit: daily sums of a bounded look-back, read once, never changed. Core.

Invariant: nothing here is older than `LOOK_BACK`, but the tables that a unit ever uploaded: judging costs the same in a
ledger of any age.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import accumulate
from typing import Final, NamedTuple

from monitor.counting.feeds import Feed
from monitor.counting.unit_days import Arrivals, GapFacts, HealthDay, Measures
from schemas.clock import local_date
from schemas.events import TableCode, UnitId
from schemas.period import Period
from schemas.register import Register, Unit

LOOK_BACK: Final = 62
"""Days of sums that are read: the running month, and four weeks of history before a stretch that has lasted as long."""
MONTH_SETTLES: Final = 7
"""Days that units have to deliver a month's last dates: until then the rules on the month judge the month before."""
_USUAL_LAG: Final[Mapping[Feed, int]] = {Feed.SCHEDULED: 1, Feed.REALTIME: 0}
"""Days after its business date by whose end a date is expected, of a unit that has not shown another habit."""
_LONGEST_LAG: Final = 7
"""Days. What comes later is a backfill by anybody's measure."""
_BULK: Final = 5
"""Dates that are sent on one day: a weekend and its Friday are fewer. More are a backfill, and nobody's habit."""
_LEAST_OF_A_WEEKDAY: Final = 5
"""Dates of one weekday before that weekday has a habit of its own: one of five may have come late."""
_HABIT: Final = 0.8
"""Share of a unit's uploads by which its dates count as delivered; the rest are backfills."""
_ROUNDING: Final = 1e-9
"""Shares that make a whole date may add up to a little less."""


class DayKind(StrEnum):
    """Days that are alike in a hospital."""

    WORKDAY = "workday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class Sums(NamedTuple):
    """Uploads and documents of one table or form on one business date."""

    events: int
    records: int


@dataclass(frozen=True)
class FeedFacts:
    """One feed of one unit. `complete_until`: the newest business date that should be here as a whole by now.

    `lags`: by weekday (0: Monday), the days after its date by whose end a date is usually here.
    """

    days: Mapping[date, Mapping[str, Sums]]
    complete_until: date
    lags: Sequence[int]
    arrivals: Sequence[Arrivals] = ()
    first_event_on: date | None = None
    last_event_at: datetime | None = None
    overdue_since: datetime | None = None

    @cached_property
    def own_days(self) -> Sequence[date]:
        """The business dates up to `complete_until` for which anything was sent, in order."""
        return sorted(day for day, codes in self.days.items() if day <= self.complete_until and codes)

    @cached_property
    def records(self) -> Mapping[date, int]:
        """Documents of each business date."""
        return {day: sum(sums.records for sums in codes.values()) for day, codes in self.days.items()}


@dataclass(frozen=True)
class UnitMonth:
    """One unit in one month. `upload_days` and `realtime_days` have at least one document; a measure is None if never carried."""

    records: int
    upload_days: frozenset[date]
    tables: frozenset[str]
    measures: Measures
    realtime_days: frozenset[date]
    forms: frozenset[str]
    form_days: int


@dataclass(frozen=True)
class UnitFacts:
    """One unit. `declared` is None when it never declared anything; `ever`: tables of which it ever uploaded a document."""

    unit: Unit
    feeds: Mapping[Feed, FeedFacts]
    measures: Mapping[date, Measures] = field(default_factory=dict)
    ever: frozenset[TableCode] = frozenset()
    declared: frozenset[TableCode] | None = None
    declared_on: date | None = None
    health: Sequence[HealthDay] = ()
    gaps: Sequence[GapFacts] = ()

    @property
    def seen(self) -> bool:
        """Whether anything ever came from it on any feed."""
        return bool(self.ever) or any(feed.first_event_on is not None for feed in self.feeds.values())

    def month(self, period: Period) -> UnitMonth:
        """Its sums of `period`, which must lie within the look-back."""
        return month_of(self, period)


def usual_lags(feed: Feed, today: date, arrivals: Sequence[Arrivals], special: Container[date] = frozenset()) -> Sequence[int]:
    """By weekday (0: Monday), the days after its date by whose end a date is here, by the unit's own habit.

    Who delivers after three days is judged after three days, and who delivers a Friday on Monday only Fridays. Dates younger
    than a week teach nothing yet, nor do backfills of many dates at once, nor what waited for the end of a feast (`special`).
    """
    usual = _USUAL_LAG[feed]
    oldest = today - timedelta(days=_LONGEST_LAG)
    dates_sent = Counter(row.sent_on for row in arrivals)
    settled = [
        row
        for row in arrivals
        if row.business_date < oldest
        and row.sent_on >= row.business_date
        and dates_sent[row.sent_on] < _BULK
        and not any(row.business_date + timedelta(days=n) in special for n in range(1, (row.sent_on - row.business_date).days))
    ]
    of_all = _habit(settled) if len({row.business_date for row in arrivals}) >= _LONGEST_LAG else None
    lags = []
    for weekday in range(7):
        of_weekday = [row for row in settled if row.business_date.weekday() == weekday]
        enough = len({row.business_date for row in of_weekday}) >= _LEAST_OF_A_WEEKDAY
        habit = _habit(of_weekday) if enough else of_all
        lags.append(min(max(usual if habit is None else habit, usual), _LONGEST_LAG))
    return lags


def complete_until(lags: Sequence[int], today: date) -> date:
    """The newest business date that should be here as a whole on the morning of `today`, as should all before it."""
    until = today - timedelta(days=_LONGEST_LAG + 1)
    while (following := until + timedelta(days=1)) + timedelta(days=lags[following.weekday()]) < today:
        until = following
    return until


def _habit(arrivals: Sequence[Arrivals]) -> int | None:
    """The days after their date by which most uploads came; None when there were none.

    Every date says as much as any other: one that a job which stood still sent night after night would be a habit by itself.
    """
    of_date: Counter[date] = Counter()
    for row in arrivals:
        of_date[row.business_date] += row.events
    by_lag: defaultdict[int, float] = defaultdict(float)
    for row in arrivals:
        by_lag[(row.sent_on - row.business_date).days] += row.events / of_date[row.business_date]
    reached = list(accumulate(by_lag[lag] for lag in sorted(by_lag)))
    return sorted(by_lag)[bisect_left(reached, _HABIT * len(of_date) - _ROUNDING)] if reached else None


def judged_month(today: date) -> Period:
    """The month that the rules on the month judge on `today`: the last one until its dates may have settled."""
    settled = today - timedelta(days=MONTH_SETTLES)
    return Period(settled.year, settled.month)


def month_of(unit: UnitFacts, period: Period) -> UnitMonth:
    """Sums of one unit over `period`."""
    scheduled, realtime = unit.feeds[Feed.SCHEDULED], unit.feeds[Feed.REALTIME]
    uploads = {day: codes for day, codes in scheduled.days.items() if period.first <= day <= period.last}
    forms = {day: codes for day, codes in realtime.days.items() if period.first <= day <= period.last}
    carried = [measures for day, measures in unit.measures.items() if period.first <= day <= period.last]
    sent = [(day, code) for day, codes in forms.items() for code, sums in codes.items() if sums.records]
    return UnitMonth(
        sum(sums.records for codes in uploads.values() for sums in codes.values()),
        frozenset(day for day, codes in uploads.items() if any(sums.records for sums in codes.values())),
        frozenset(code for codes in uploads.values() for code, sums in codes.items() if sums.records),
        Measures(*(_total(values) for values in zip(*carried, strict=True))) if carried else Measures(),
        frozenset(day for day, _ in sent),
        frozenset(code for _, code in sent),
        len(sent),
    )


def _total(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


@dataclass(frozen=True)
class CityFacts:
    """Every unit of the register at one moment of the platform clock.

    `special`: public holidays and make-up workdays. `shifts`: by how much the whole city lay above or below its usual
    level on a date (natural logarithm, median over the units): what all have in common is nobody's finding.
    """

    clock: datetime
    register: Register
    units: Sequence[UnitFacts]
    special: frozenset[date] = frozenset()
    shifts: Mapping[Feed, Mapping[date, float]] = field(default_factory=dict)

    @cached_property
    def months(self) -> Mapping[UnitId, UnitMonth]:
        """Every unit's judged month, by unit id."""
        return {unit.unit.unit_id: unit.month(self.period) for unit in self.units}

    @cached_property
    def today(self) -> date:
        """The platform's day."""
        return local_date(self.clock)

    @cached_property
    def period(self) -> Period:
        """The month that the rules on the month judge."""
        return judged_month(self.today)

    def kind(self, day: date) -> DayKind | None:
        """Which days it is alike; None for a day that is like no other."""
        if day in self.special:
            return None
        return (DayKind.SATURDAY, DayKind.SUNDAY)[day.weekday() - 5] if day.weekday() >= 5 else DayKind.WORKDAY
