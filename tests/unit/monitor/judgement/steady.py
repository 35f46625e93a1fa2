"""A city of steady units for the case tables: every unit sends five tables and four forms each day, a little different every day.

A case changes what it is about, and nothing else.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import Any, Final

from monitor.counting.feeds import Feed
from monitor.counting.unit_days import Arrivals, HealthDay, Measures
from monitor.judgement.facts import CityFacts, FeedFacts, Sums, UnitFacts
from monitor.judgement.rules.evaluation import evaluate
from monitor.judgement.rules.verdict import Verdict
from schemas.clock import start_of_day
from schemas.events import TableCode
from schemas.register import Register, UnitKind, load_register

DAY: Final = timedelta(days=1)
TODAY: Final = date(2024, 9, 30)
"""A Monday. Scheduled dates are judged up to the 28th, realtime ones up to the 29th."""
FIRST: Final = date(2024, 8, 5)
TABLES: Final = ("C0002", "C0004", "PF-OP-03", "PF-OP-06", "PF-IP-07")
FORMS: Final = ("RT01", "RT02", "RT03", "RT04")
REGISTER: Final = load_register()
SMALL: Final = replace(REGISTER, forms={code: form for code, form in REGISTER.forms.items() if code in FORMS})
_SIZES: Final = (400, 900, 700, 650, 90)

Days = Mapping[date, Mapping[str, Sums]]


def days(first: date, last: date) -> list[date]:
    return [first + DAY * n for n in range((last - first).days + 1)]


def wave(day: date, place: int) -> float:
    """Between 0.9 and 1.1, another number every day; weekends 60 %."""
    return (0.9 + (day.toordinal() * 7 + place * 13) % 21 / 100) * (0.6 if day.weekday() >= 5 else 1.0)


def steady(codes: Sequence[str], first: date = FIRST, last: date = TODAY - DAY * 2) -> dict[date, dict[str, Sums]]:
    return {
        day: {code: Sums(3, round(_SIZES[place % 5] * wave(day, place))) for place, code in enumerate(codes)}
        for day in days(first, last)
    }


def punctual(of: Days, lag: int) -> list[Arrivals]:
    return [
        Arrivals(day + DAY * lag, day, sum(s.events for s in codes.values()), sum(s.records for s in codes.values()))
        for day, codes in sorted(of.items())
    ]


def feed(of: Days, which: Feed = Feed.SCHEDULED, **overrides: Any) -> FeedFacts:
    lag = 1 if which is Feed.SCHEDULED else 0
    values: dict[str, Any] = {
        "days": of,
        "complete_until": TODAY - DAY * (1 + lag),
        "lags": [lag] * 7,
        "arrivals": punctual(of, lag),
        "first_event_on": min(of, default=None),
        "last_event_at": start_of_day(max(of)) if of else None,
    }
    return FeedFacts(**{**values, **overrides})


def unit(number: int = 0, kind: UnitKind = UnitKind.HOSPITAL, **overrides: Any) -> UnitFacts:
    """The steady unit number `number` of its kind in the register."""
    which = [known for known in REGISTER.units.values() if known.kind is kind][number]
    scheduled = overrides.pop("scheduled", None) or feed(steady(TABLES))
    realtime = overrides.pop("realtime", None) or feed(steady(FORMS, last=TODAY - DAY), Feed.REALTIME)
    values: dict[str, Any] = {
        "unit": which,
        "feeds": {Feed.SCHEDULED: scheduled, Feed.REALTIME: realtime},
        "measures": {day: measures(day) for day in scheduled.days},
        "ever": frozenset(map(TableCode, TABLES)),
        "declared": frozenset(map(TableCode, TABLES)),
        "declared_on": FIRST,
        "health": [
            HealthDay(day, 500_000 + place * 12, 40_000 + place * 3, None) for place, day in enumerate(days(FIRST, TODAY))
        ],
    }
    return UnitFacts(**{**values, **overrides})


def measures(day: date) -> Measures:
    visits = round(300 * wave(day, 1))
    discharges = round(25 * wave(day, 2))
    return Measures(visits, discharges, visits * 31_000, discharges * 1_400_000)


def city(*units: UnitFacts, peers: int = 9, register: Register = SMALL, **overrides: Any) -> CityFacts:
    """`units`, and after them as many steady peers of the same kind."""
    return CityFacts(overrides.pop("clock", start_of_day(TODAY)), register, [*units, *_peers()[:peers]], **overrides)


@cache
def _peers() -> list[UnitFacts]:
    return [unit(number) for number in range(20, 29)]


def verdicts(*units: UnitFacts, **overrides: Any) -> list[Verdict]:
    """What is found about `units` (and about the whole city)."""
    ids = {facts.unit.unit_id for facts in units}
    return list(evaluate(city(*units, **overrides), ids).verdicts)


def found_rules(*units: UnitFacts, **overrides: Any) -> list[str]:
    return [found.rule for found in verdicts(*units, **overrides)]


def without(of: Days, codes: Iterable[str], since: date, until: date = TODAY) -> dict[date, dict[str, Sums]]:
    gone = set(codes)
    return {day: {c: s for c, s in its.items() if c not in gone or not since <= day <= until} for day, its in of.items()}


def scaled(of: Days, factor: float, since: date, until: date = TODAY) -> dict[date, dict[str, Sums]]:
    return {
        day: {c: Sums(s.events, round(s.records * factor) if since <= day <= until else s.records) for c, s in its.items()}
        for day, its in of.items()
    }
