"""What a running month will come to, on any day of it, if the unit goes on as it does. Core.

Days: those that came, and of those still to come the share that the unit keeps of its own week. Forms and tables: those
seen, and those that it regularly sends. Records: those that came, and its usual level for the days to come.
"""

from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from monitor.counting.feeds import Feed
from monitor.judgement.facts import CityFacts, FeedFacts, UnitFacts
from monitor.judgement.rules.expected_days import days_between, own_weekdays
from monitor.judgement.rules.usual import HISTORY
from schemas.events import UnitId
from schemas.period import Period


@dataclass(frozen=True)
class Forecast:
    """One unit's month: what is here, and (`*_by_end`) what it will come to."""

    unit_id: UnitId
    upload_days: int
    upload_days_by_end: int
    realtime_days: int
    realtime_days_by_end: int
    forms: int
    forms_by_end: int
    tables: int
    tables_by_end: int
    records: int
    records_by_end: int


def forecast(unit: UnitFacts, city: CityFacts, period: Period) -> Forecast:
    """The forecast of `period`, which runs or has just ended."""
    month = unit.month(period)
    scheduled, realtime = unit.feeds[Feed.SCHEDULED], unit.feeds[Feed.REALTIME]
    days_left, forms_left = (_days_to_come(facts, city, period) for facts in (scheduled, realtime))
    usual = median([scheduled.records[day] for day in scheduled.own_days[-HISTORY:]] or [0])
    return Forecast(
        unit.unit.unit_id,
        len(month.upload_days),
        len(month.upload_days) + round(days_left),
        len(month.realtime_days),
        len(month.realtime_days) + round(forms_left),
        len(month.forms),
        len(month.forms | (_regular(realtime) if forms_left >= 1 else frozenset())),
        len(month.tables),
        len(month.tables | (_regular(scheduled) if days_left >= 1 else frozenset())),
        month.records,
        month.records + round(usual * days_left),
    )


def _days_to_come(facts: FeedFacts, city: CityFacts, period: Period) -> float:
    """How many dates after the last complete one the unit will deliver: as large a share of its week as lately."""
    recent = [day for day in facts.own_days if day > facts.complete_until - timedelta(days=HISTORY)]
    if not recent:
        return 0.0
    weekdays = own_weekdays(facts, city) or frozenset(day.weekday() for day in recent)
    since = max(facts.own_days[0], facts.complete_until - timedelta(days=HISTORY - 1))
    owed = [day for day in days_between(since, facts.complete_until) if day.weekday() in weekdays]
    kept = len([day for day in recent if day.weekday() in weekdays]) / len(owed)
    first = max(period.first, facts.complete_until + timedelta(days=1))
    left = [day for day in days_between(first, period.last) if day.weekday() in weekdays and day not in facts.days]
    return kept * len(left)


def _regular(facts: FeedFacts) -> frozenset[str]:
    """Parts that came on at least half of the last own days."""
    days = facts.own_days[-HISTORY:]
    codes = {code for day in days for code in facts.days[day]}
    return frozenset(code for code in codes if sum(code in facts.days[day] for day in days) * 2 >= len(days))
