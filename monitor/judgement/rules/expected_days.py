"""Which business dates a unit owes, by its own week. Core.

A unit that never sends on Sundays owes no Sunday. A public holiday is owed only by a unit that works through that feast,
a make-up workday by nobody: no rule fixes it.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import groupby
from statistics import fmean
from typing import Final

from monitor.judgement.facts import CityFacts, FeedFacts

_OFTEN: Final = 0.5
"""A weekday belongs to a unit's week when it is delivered this often, compared with its best weekday."""
_KEPT: Final = 0.75
_LEFT: Final = 0.15
"""It is a week when its days are kept this often and the other days this seldom; who comes and goes owes every day."""
_LEAST_WEEKS: Final = 2
_FEAST_WORKED: Final = 0.5
_DAY: Final = timedelta(days=1)


def own_weekdays(feed: FeedFacts, city: CityFacts) -> frozenset[int]:
    """Weekdays (0: Monday) on which the unit delivers; empty while it has shown fewer than two weeks."""
    if not feed.own_days:
        return frozenset()
    span = [day for day in days_between(feed.own_days[0], feed.complete_until) if day not in city.special]
    if len(span) < 7 * _LEAST_WEEKS:
        return frozenset()
    delivered = set(feed.own_days)
    shares = {}
    for weekday in range(7):
        days = [day for day in span if day.weekday() == weekday]
        shares[weekday] = sum(day in delivered for day in days) / len(days) if days else 0.0
    best = max(shares.values())
    own = frozenset(weekday for weekday, share in shares.items() if share >= _OFTEN * best)
    kept = fmean(shares[weekday] for weekday in own)
    others = [share for weekday, share in shares.items() if weekday not in own]
    return own if kept >= _KEPT and sum(others) <= _LEFT * len(others) else frozenset(range(7))


def expected_days(feed: FeedFacts, city: CityFacts, first: date, last: date) -> Sequence[date]:
    """The dates from `first` to `last` that the unit owes: none before its first date, none that may still come."""
    weekdays = own_weekdays(feed, city)
    if not weekdays:
        return []
    begin, end = max(first, feed.own_days[0]), min(last, feed.complete_until)
    worked = _feasts_worked(feed, city, begin, end)
    return [
        day
        for day in days_between(begin, end)
        if (day.weekday() in weekdays if day not in city.special else day in worked and day.weekday() < 5)
    ]


def missing_days(feed: FeedFacts, city: CityFacts, first: date, last: date) -> Sequence[date]:
    """The owed dates for which nothing came."""
    delivered = set(feed.own_days)
    return [day for day in expected_days(feed, city, first, last) if day not in delivered]


def days_between(first: date, last: date) -> list[date]:
    """Every date from `first` to `last`; none when `last` lies before."""
    return [first + _DAY * n for n in range((last - first).days + 1)]


def _feasts_worked(feed: FeedFacts, city: CityFacts, first: date, last: date) -> set[date]:
    """The days of those feasts on most of whose days the unit delivered."""
    delivered = set(feed.own_days)
    special = [day for day in days_between(first, last) if day in city.special]
    worked: set[date] = set()
    for _, run in groupby(enumerate(special), key=lambda place: place[1].toordinal() - place[0]):
        feast = [day for _, day in run]
        if len(feast) > 1 and sum(day in delivered for day in feast) > _FEAST_WORKED * len(feast):
            worked.update(feast)
    return worked
