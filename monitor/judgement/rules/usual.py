"""What is usual for a unit: levels of its own days, robust against its bad ones. Core.

Workdays are compared with workdays, Saturdays with Saturdays. Public holidays and make-up workdays are like no other day:
they neither teach nor count.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import log, sqrt
from statistics import median
from typing import Final

from monitor.judgement.facts import CityFacts, DayKind, FeedFacts

HISTORY: Final = 28
"""Days of its own that a unit is compared with: four of each weekday."""
LEAST_HISTORY: Final = 10
"""Own days before anything is called unusual: two working weeks."""
_LEAST_OF_A_KIND: Final = 3
_MANY: Final = 10
"""Of so many days one may be odd: an upload of millions would hide every surge for a month."""
_LEAST_NOISE: Final = 0.1
"""Of the natural logarithm: nobody's days are more alike than 10 %."""
_MAD_TO_SIGMA: Final = 1.4826
_MEDIAN_DOUBT: Final = 1.57
"""The variance of a median of n values is 1.57 / n of the values' own."""


@dataclass(frozen=True, slots=True)
class Level:
    """Documents of days of one kind: the median, the lowest and highest day (of many but for one), the noise of the logarithm."""

    middle: float
    lowest: int
    highest: int
    noise: float
    days: int

    def distance(self, records: int) -> float:
        """How many noises `records` lies above (or below: negative) the middle. A small count is noisy by itself."""
        noise = sqrt(self.noise**2 * (1 + _MEDIAN_DOUBT / self.days) + 1 / max(self.middle, 1))
        return (log(records + 1) - log(self.middle + 1)) / noise


def levels(days: Sequence[date], records: Mapping[date, int], city: CityFacts) -> Mapping[DayKind | None, Level]:
    """The usual levels on the newest `HISTORY` of `days`; kinds seen on fewer than three days have none."""
    by_kind: dict[DayKind, list[int]] = {}
    for day in days[-HISTORY:]:
        kind = city.kind(day)
        if kind is not None:
            by_kind.setdefault(kind, []).append(records[day])
    middles = {kind: median(values) for kind, values in by_kind.items() if len(values) >= _LEAST_OF_A_KIND}
    if not middles:
        return {}
    residuals = [abs(log(n + 1) - log(middle + 1)) for kind, middle in middles.items() for n in by_kind[kind]]
    freedom = len(residuals) / (len(residuals) - len(middles))  # each middle was taken from the same days
    noise = max(_LEAST_NOISE, freedom * _MAD_TO_SIGMA * median(residuals))
    found: dict[DayKind | None, Level] = {}
    for kind, middle in middles.items():
        ordered = sorted(by_kind[kind])
        odd = int(len(ordered) >= _MANY)
        found[kind] = Level(middle, ordered[odd], ordered[-1 - odd], noise, len(ordered))
    return found


def ordinary_days(feed: FeedFacts, city: CityFacts) -> Sequence[date]:
    """The unit's own days without holidays and make-up workdays."""
    return [day for day in feed.own_days if day not in city.special]
