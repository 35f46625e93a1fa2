"""A made-up city that uploads: every unit with a rhythm of its own, seeded. Core; a stranger to the judge.

Times are hours since 1970-01-01 00:00 in Asia/Shanghai. A sender is either by chance (an hourly intensity) or by the clock
(slots, each with its day and the moment by which it has always come).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.counting.feeds import Feed
from monitor.judgement.calendar import LONG_FEASTS, Calendar, DayKind
from schemas.clock import to_days

Floats = NDArray[np.float64]


@dataclass
class Days:
    """The days of the history, and what kind each is."""

    first: date
    count: int
    weekday: NDArray[np.int64] = field(init=False)
    holiday: NDArray[np.bool_] = field(init=False)
    off: NDArray[np.bool_] = field(init=False)
    near_feast: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        calendar = Calendar()
        dates = [self.first + timedelta(days=n) for n in range(self.count)]
        found = [calendar.day(day) for day in dates]
        self.weekday = np.array([day.weekday() for day in dates])
        self.holiday = np.array([day.kind is DayKind.HOLIDAY for day in found])
        self.off = np.array([day.kind in (DayKind.HOLIDAY, DayKind.WEEKEND) for day in found])
        long = np.array([day.kind is DayKind.HOLIDAY and day.feast in LONG_FEASTS for day in found])
        self.near_feast = np.zeros(self.count, np.bool_)
        for away in (-3, -2, -1, 1, 2, 3):
            self.near_feast |= np.roll(long, away)
        self.near_feast &= ~long

    @property
    def start(self) -> float:
        """The first local hour."""
        return to_days(self.first) * 24.0


@dataclass
class Sender:
    """One feed of one unit. `arrive` and `event_time` are parallel, in order of arrival.

    By chance: `intensity` per hour. By the clock: `slot_sent`, `slot_latest`, and `slot_day`, in days since 1970. `clock`: by
    how many hours its clock is fast.
    """

    feed: Feed
    kind: str
    arrive: Floats
    event_time: Floats
    days_back: int = 0
    intensity: Floats | None = None
    slot_sent: Floats | None = None
    slot_latest: Floats | None = None
    slot_day: NDArray[np.int64] | None = None
    clock: float = 0.0


@dataclass
class Unit:
    """A unit of the city, its groups, and its two senders."""

    district: str
    vendor: str
    senders: list[Sender]


def make_city(units: int, days: Days, random: np.random.Generator) -> list[Unit]:
    """So many units. Kinds are drawn by the shares that a city of the register's size may have."""
    return [_unit(number, units, days, random) for number in range(units)]


def _unit(number: int, units: int, days: Days, random: np.random.Generator) -> Unit:
    realtime = random.choice(list(_REALTIME), p=[kind[1] for kind in _REALTIME.values()])
    scheduled = random.choice(list(_SCHEDULED), p=[kind[1] for kind in _SCHEDULED.values()])
    senders = [_SCHEDULED[scheduled][0](str(scheduled), days, random), _REALTIME[realtime][0](str(realtime), days, random)]
    return Unit(f"d{number * 12 // units}", f"v{random.integers(0, 8)}", senders)


# ---- by chance -------------------------------------------------------------------------------------------------------


def _by_chance(kind: str, by_day: Floats, by_hour: Floats, days: Days, random: np.random.Generator) -> Sender:
    """Uploads by chance: so many a day, spread over the hours like `by_hour`; the pace drifts over the months."""
    drift = 1 + 0.3 * np.sin(np.arange(days.count) / random.uniform(60, 200) + random.uniform(0, 6))
    intensity = (by_day * drift)[:, None] * (by_hour / by_hour.sum())[None, :]
    flat = intensity.reshape(-1)
    counts = random.poisson(flat)
    times = np.sort(days.start + np.repeat(np.arange(len(flat)), counts) + random.uniform(0, 1, counts.sum()))
    return Sender(Feed.REALTIME, kind, times, times.copy(), intensity=flat)


def _feast_factor(days: Days, factor: float, random: np.random.Generator) -> Floats:
    found = np.where(days.holiday, factor, 1.0)
    return np.where(days.near_feast, found * (1 - (1 - min(factor, 1.0)) * random.uniform(0.0, 0.5)), found)


def _round_the_clock(kind: str, days: Days, random: np.random.Generator) -> Sender:
    hours = np.arange(24)
    by_hour = random.uniform(0.08, 0.35) + np.exp(-(((hours - 10) / 3.0) ** 2)) + 0.8 * np.exp(-(((hours - 15.5) / 3.0) ** 2))
    by_day = random.uniform(18, 60) * np.where(days.off & ~days.holiday, random.uniform(0.5, 1.0), 1.0)
    lively = random.uniform(0.9, 1.3) if random.random() < 0.5 else random.uniform(0.25, 0.6)
    return _by_chance(kind, by_day * _feast_factor(days, lively, random), by_hour, days, random)


def _office(kind: str, days: Days, random: np.random.Generator) -> Sender:
    opens, closes = random.choice([7.5, 8.0, 8.5]), random.choice([17.0, 17.5, 18.0])
    hours = np.arange(24) + 0.5
    by_hour = ((hours > opens) & (hours < closes) & ~((hours > 12) & (hours < 13.5))).astype(np.float64)
    works = ~days.off | ((days.weekday == 5) & ~days.holiday & (random.random() < 0.3))
    by_day = random.uniform(8, 40) * np.where(works, 1.0, 0.0)
    return _by_chance(kind, by_day * _feast_factor(days, 0.5, random), by_hour, days, random)


def _few_a_day(kind: str, days: Days, random: np.random.Generator) -> Sender:
    hours = np.arange(24)
    by_hour = ((hours >= random.integers(5, 9)) & (hours < random.integers(18, 24))).astype(np.float64) + 0.02
    weekend = random.uniform(0.3, 1.0)
    by_day = random.uniform(2.5, 7) * np.where(days.off & ~days.holiday, weekend, 1.0)
    return _by_chance(kind, by_day * _feast_factor(days, random.uniform(0.2, 1.0), random), by_hour, days, random)


def _lively_weekends(kind: str, days: Days, random: np.random.Generator) -> Sender:
    hours = np.arange(24)
    by_hour = np.exp(-(((hours - 13) / 4.0) ** 2)) + 0.01
    by_day = random.uniform(10, 25) * np.where(days.off, 1.6, 1.0)
    return _by_chance(kind, by_day, by_hour, days, random)


# ---- by the clock ----------------------------------------------------------------------------------------------------


def _by_slots(
    feed: Feed, kind: str, slots: Floats, jitter: float, uploads: tuple[int, int, float], random: np.random.Generator, back: int
) -> Sender:
    """Uploads at set times, `jitter` hours later at most; each is `uploads` (least, most) events over so many hours."""
    least, most, over = uploads
    late = np.minimum(random.exponential(jitter / 4, len(slots)), jitter)
    counts = random.integers(least, most + 1, len(slots))
    within = np.where(np.repeat(counts, counts) > 1, random.uniform(0, over, counts.sum()), 0.0)
    first = np.concatenate([[0], np.cumsum(counts)[:-1]]) if len(counts) else np.zeros(0, np.int64)
    within[first.astype(np.int64)] = 0.0
    times = np.sort(np.repeat(slots + late, counts) + within)
    slot_day = (slots // 24).astype(np.int64)
    return Sender(feed, kind, times, times.copy(), back, slot_sent=slots + late, slot_latest=slots + jitter, slot_day=slot_day)


def _slots(days: Days, on: NDArray[np.bool_], *hours: float) -> Floats:
    starts = days.start + np.flatnonzero(on) * 24.0
    return np.sort((starts[:, None] + np.array(hours)[None, :]).reshape(-1))


def _once_a_day(kind: str, days: Days, random: np.random.Generator) -> Sender:
    every = np.ones(days.count, np.bool_) if random.random() < 0.7 else ~days.off
    slots = _slots(days, every, float(random.uniform(0, 23)))
    return _by_slots(Feed.REALTIME, kind, slots, random.uniform(0.2, 1.5), (1, 3, 0.2), random, 0)


def _every_few_hours(kind: str, days: Days, random: np.random.Generator) -> Sender:
    step, offset = random.choice([2, 3, 4, 6]), random.uniform(0, 1)
    slots = _slots(days, np.ones(days.count, np.bool_), *(np.arange(0, 24, step) + offset))
    return _by_slots(Feed.REALTIME, kind, slots, random.uniform(0.1, 0.6), (1, 2, 0.1), random, 0)


def _nightly(back: int, workdays: bool) -> Callable[[str, Days, np.random.Generator], Sender]:
    def make(kind: str, days: Days, random: np.random.Generator) -> Sender:
        on = ~days.off if workdays else np.ones(days.count, np.bool_)
        slots = _slots(days, on, float(random.uniform(0.2, 6)))
        return _by_slots(Feed.SCHEDULED, kind, slots, random.uniform(0.5, 3), (3, 12, random.uniform(0.3, 3)), random, back)

    return make


def _by_hand(kind: str, days: Days, random: np.random.Generator) -> Sender:
    slots = _slots(days, ~days.off, float(random.uniform(8.5, 10)))
    return _by_slots(Feed.SCHEDULED, kind, slots, random.uniform(4, 7), (2, 8, 1.0), random, 1)


def _weekend_sleeper(kind: str, days: Days, random: np.random.Generator) -> Sender:
    slots = _slots(days, (days.weekday < 5) & ~days.holiday, float(random.uniform(18, 23)))
    return _by_slots(Feed.SCHEDULED, kind, slots, random.uniform(0.5, 2), (2, 10, 1.0), random, 1)


def _twice_a_day(kind: str, days: Days, random: np.random.Generator) -> Sender:
    slots = _slots(days, np.ones(days.count, np.bool_), 2.0, float(random.uniform(12, 15)))
    return _by_slots(Feed.SCHEDULED, kind, slots, random.uniform(0.5, 2), (2, 8, 0.8), random, 1)


Maker = Callable[[str, Days, np.random.Generator], Sender]
_REALTIME: Final[dict[str, tuple[Maker, float]]] = {
    "round the clock": (_round_the_clock, 0.34),
    "office hours": (_office, 0.22),
    "few a day": (_few_a_day, 0.14),
    "lively weekends": (_lively_weekends, 0.08),
    "once a day": (_once_a_day, 0.12),
    "every few hours": (_every_few_hours, 0.10),
}
_SCHEDULED: Final[dict[str, tuple[Maker, float]]] = {
    "T+1 nightly": (_nightly(1, False), 0.46),
    "T+2 nightly": (_nightly(2, False), 0.14),
    "T+1 workdays": (_nightly(1, True), 0.14),
    "by hand in office hours": (_by_hand, 0.08),
    "weekend sleeper": (_weekend_sleeper, 0.08),
    "twice a day": (_twice_a_day, 0.10),
}
