"""Which days are workdays, weekends, public holidays and make-up workdays. Core.

Source: the State Council's yearly notice, as the package `chinese-calendar` carries it (it names make-up workdays, which
`holidays` knows only as a side list, has no dependencies, and is released each November for the next year). What it does
not know, and local closures, come from the caller as overrides; without one such a day is an ordinary day of its week.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from chinese_calendar import get_holiday_detail


class DayKind(StrEnum):
    """What kind of day it is in China."""

    WORKDAY = "workday"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    MAKE_UP = "make_up"  # a Saturday or Sunday that is worked for a holiday


class Day(NamedTuple):
    """A day's kind, and the feast that it belongs to: as a holiday, or as the make-up workday for one."""

    kind: DayKind
    feast: str | None = None


FEAST_ZH = {
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明节",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "National Day": "国庆节",
    "Mid-autumn Festival": "中秋节",
}
LONG_FEASTS = frozenset({"Spring Festival", "National Day"})
"""A week or more, and like themselves from year to year: learned from the same feast of the year before."""


@dataclass(frozen=True)
class Calendar:
    """The Chinese calendar with `overrides` for years that the package does not know and for local closures."""

    overrides: Mapping[date, Day] = field(default_factory=dict)

    def day(self, day: date) -> Day:
        """What kind of day it is."""
        override = self.overrides.get(day)
        return _published(day) if override is None else override

    def near_long_feast(self, day: date) -> bool:
        """Whether a day is no holiday, but lies within two days of one of a long feast: people leave early and return late."""
        if self.day(day).kind is DayKind.HOLIDAY:
            return False
        around = (self.day(day + timedelta(days=away)) for away in (-2, -1, 1, 2))
        return any(near.kind is DayKind.HOLIDAY and near.feast in LONG_FEASTS for near in around)

    def is_day_off(self, day: date) -> bool:
        """Whether offices are closed."""
        return self.day(day).kind in {DayKind.WEEKEND, DayKind.HOLIDAY}


def ordinary(day: date) -> Day:
    """What a day is that no feast touches."""
    return Day(DayKind.WEEKEND if day.weekday() >= 5 else DayKind.WORKDAY)


@lru_cache(maxsize=4096)
def _published(day: date) -> Day:
    try:
        off, feast = get_holiday_detail(day)
    except NotImplementedError:  # a year that was not published when the package was made
        return ordinary(day)
    if feast is None:
        return Day(DayKind.WEEKEND if off else DayKind.WORKDAY)
    return Day(DayKind.HOLIDAY if off else DayKind.MAKE_UP, str(getattr(feast, "value", feast)))
