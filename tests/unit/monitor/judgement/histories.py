"""Months of uploads of telling units, hour by hour, up to 30 September 2024: what the learner learns from.

That morning lies between two feasts: Mid-autumn was on 15 to 17 September, National Day is on 1 to 7 October. Saturday the
14th, Sunday the 29th and Saturday 12 October are make-up workdays.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from random import Random
from typing import Final

import numpy as np

from monitor.counting.feeds import Feed
from monitor.judgement.activity import HOURS_EAST, ActiveHour, ActivityHistory, Bools, is_held
from monitor.judgement.calendar import Calendar, DayKind
from schemas.clock import from_days, to_days

TODAY: Final = date(2024, 9, 30)
CALENDAR: Final = Calendar()
_TODAY: Final = to_days(TODAY)
_FIRST: Final = to_days(date(2023, 9, 1))

Sends = Callable[[int, int, DayKind], bool]
"""Whether a unit sends in an hour: how many days that day is before today, the hour, and the kind of day."""


@dataclass(frozen=True)
class Habit:
    """When a unit sends on a feed. `outage`: hours of yesterday that teach nothing."""

    sends: Sends
    feed: Feed = Feed.REALTIME
    outage: tuple[int, int] | None = None


def _workday(kind: DayKind) -> bool:
    return kind is DayKind.WORKDAY


def _weekday(ago: int) -> int:
    return from_days(_TODAY - ago).weekday()


def _plain_saturday(ago: int, kind: DayKind) -> bool:
    return kind is DayKind.WEEKEND and _weekday(ago) == 5


def _by_chance(seed: str, share: float) -> Sends:
    return lambda ago, hour, _: Random(f"{seed} {ago} {hour}").random() < share


HABITS: Final[Mapping[str, Habit]] = {
    "every hour, at feasts too": Habit(lambda ago, hour, kind: True),
    "every hour, not at feasts": Habit(lambda ago, hour, kind: kind is not DayKind.HOLIDAY),
    "every three hours": Habit(lambda ago, hour, kind: hour % 3 == 0),
    "every three hours, with one odd pause": Habit(lambda ago, hour, kind: hour % 3 == 0 and not (ago == 9 and hour in (3, 6))),
    "every three hours, and a pause each Wednesday": Habit(
        lambda ago, hour, kind: hour % 3 == 0 and not (_weekday(ago) == 2 and 3 <= hour <= 12)
    ),
    "in office hours of workdays": Habit(lambda ago, hour, kind: _workday(kind) and 8 <= hour < 17),
    "in office hours, Saturdays alike": Habit(
        lambda ago, hour, kind: (_workday(kind) or _plain_saturday(ago, kind)) and 8 <= hour < 17
    ),
    "in office hours, Saturdays a little": Habit(
        lambda ago, hour, kind: (_workday(kind) and 8 <= hour < 17) or (_weekday(ago) == 5 and hour == 9)
    ),
    "by day, at night by chance": Habit(
        lambda ago, hour, kind: 7 <= hour < 23 or Random(f"night {ago} {hour}").random() < 0.33,
    ),
    "three times a day, by chance": Habit(_by_chance("thrice", 0.13)),
    "once a week, by chance": Habit(_by_chance("once", 0.006)),
    "a batch every night": Habit(lambda ago, hour, kind: hour == 2, Feed.SCHEDULED),
    "a batch every night, one missed": Habit(lambda ago, hour, kind: hour == 2 and ago != 40, Feed.SCHEDULED),
    "a batch every night, two in a row missed": Habit(lambda ago, hour, kind: hour == 2 and ago not in (40, 41), Feed.SCHEDULED),
    "a batch every night, one in five missed": Habit(lambda ago, hour, kind: hour == 2 and ago % 5 != 3, Feed.SCHEDULED),
    "a batch between six and nine": Habit(lambda ago, hour, kind: hour == 18 + ago % 4, Feed.SCHEDULED),
    "a batch on workdays and make-up workdays": Habit(
        lambda ago, hour, kind: hour == 19 and kind in (DayKind.WORKDAY, DayKind.MAKE_UP), Feed.SCHEDULED
    ),
    "a batch on workdays only": Habit(lambda ago, hour, kind: hour == 19 and _workday(kind), Feed.SCHEDULED),
    "a batch on Mondays": Habit(lambda ago, hour, kind: hour == 10 and _weekday(ago) == 0, Feed.SCHEDULED),
    "now before midnight, now after it": Habit(
        lambda ago, hour, kind: ago % 5 in (0, 3) if hour == 23 else hour == 0 and (ago + 1) % 5 not in (0, 3), Feed.SCHEDULED
    ),
    "once a day at one, realtime": Habit(lambda ago, hour, kind: hour == 1),
    "twice a day, realtime": Habit(lambda ago, hour, kind: hour in (9, 16)),
    "some time of the day, realtime": Habit(lambda ago, hour, kind: hour == 8 + ago * 5 % 12),
    "known for 14 days but an hour": Habit(lambda ago, hour, kind: ago <= 12 or (ago == 13 and hour >= 1)),
    "known for 14 days": Habit(lambda ago, hour, kind: ago <= 13),
    "silent for three days": Habit(lambda ago, hour, kind: ago >= 3),
    "every hour, but for an outage": Habit(lambda ago, hour, kind: not (ago == 1 and 6 <= hour < 15), outage=(6, 15)),
    "every hour since Saturday the 7th": Habit(lambda ago, hour, kind: ago <= 23),
    "ten hours a day, on Saturdays eight": Habit(
        lambda ago, hour, kind: 8 <= hour < (18 if _workday(kind) else 16 if _plain_saturday(ago, kind) else 0)
    ),
    "every hour since 9 June": Habit(lambda ago, hour, kind: ago <= 113),
    "at eight, every fourth day at ten, realtime": Habit(lambda ago, hour, kind: hour == (8 if ago % 4 else 10)),
    "once, three weeks ago": Habit(lambda ago, hour, kind: ago == 20 and hour == 9),
    "never": Habit(lambda ago, hour, kind: False),
    "never a batch": Habit(lambda ago, hour, kind: False, Feed.SCHEDULED),
}


def scheduled() -> Bools:
    """Which rows are those of a scheduled feed."""
    return np.array([habit.feed is Feed.SCHEDULED for habit in HABITS.values()], np.bool_)


@cache
def history() -> ActivityHistory:
    """What is remembered of all of them at seven in the morning of today: the last weeks, and the rare days of a year before."""
    found = ActivityHistory(len(HABITS))
    found.roll_to(from_days(_FIRST), CALENDAR)
    for day in range(_FIRST, _TODAY + 1):
        kind, ago = CALENDAR.day(from_days(day)).kind, _TODAY - day
        if day > _FIRST and not is_held(day, _TODAY, CALENDAR):
            continue
        found.roll_to(from_days(day), CALENDAR)
        found.add(
            ActiveHour(row, day * 24 + hour - HOURS_EAST, 0, 20, 1)
            for row, habit in enumerate(HABITS.values())
            for hour in range(24 if ago else 7)
            if habit.sends(ago, hour, kind)
        )
    for row, habit in enumerate(HABITS.values()):
        if habit.outage:
            found.exclude(row, *((_TODAY - 1) * 24.0 + hour for hour in habit.outage))
    return found
