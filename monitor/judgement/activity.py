"""The activity of every unit and feed, hour by hour: the facts that rhythms are learned from. Core.

Moments are *platform moments*: an upload counts in the hour in which the platform clock stood when it came, or at its own
event time where that is later. So a unit whose clock is slow, and one that sends its backlog, is seen when it sends.
Invariant: what is held is bounded (`RECENT_DAYS`, and the rare days of `RARE_DAYS_KEPT`), however old the ledger is.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitor.judgement.calendar import Calendar, DayKind
from schemas.clock import from_days, to_days

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Counts = NDArray[np.int64]

HOURS_EAST: Final = 8
"""Local hours are counted from 1970-01-01 00:00 in Asia/Shanghai, so that a local day is 24 whole ones."""
RECENT_DAYS: Final = 126
"""Eighteen weeks: long enough to know how often a regular sender misses a day."""
_RARE_DAYS: Final = frozenset({DayKind.HOLIDAY, DayKind.MAKE_UP})
RARE_DAYS_KEPT: Final = 450
"""How many days feasts and make-up workdays are remembered: last year's is learned from, wherever the lunar year puts it.

So are the days beside them, for a unit's own day may begin on the day before, and end on the day after.
"""


def local_hours(moment: datetime) -> float:
    """Hours since 1970-01-01 00:00 in Asia/Shanghai."""
    return moment.timestamp() / 3600 + HOURS_EAST


def is_held(day: int, last: int, calendar: Calendar) -> bool:
    """Whether a day is remembered on the day `last` (days since 1970)."""
    if day > last - RECENT_DAYS:
        return True
    around = (from_days(day + away) for away in (-1, 0, 1))
    return day > last - RARE_DAYS_KEPT and any(calendar.day(near).kind in _RARE_DAYS for near in around)


class ActiveHour(NamedTuple):
    """One hour (UTC hours since 1970) in which a unit's feed was active: first and last minute, and how many uploads."""

    row: int
    hour: int
    first_minute: int
    last_minute: int
    events: int


@dataclass
class ActivityHistory:
    """Rows are unit-feeds. `active[row, day, hour]` over the days of `days` (ascending; the last ones without a break).

    `first_seen` and `last_seen` are local hours, NaN for a row never seen. `excluded` marks hours that teach nothing:
    outages, silences.
    """

    rows: int

    def __post_init__(self) -> None:
        self.days: Counts = np.arange(0)
        self.active: Bools = np.zeros((self.rows, 0, 24), np.bool_)
        self.excluded: Bools = np.zeros((self.rows, 0, 24), np.bool_)
        self.first_seen: Floats = np.full(self.rows, np.nan)
        self.last_seen: Floats = np.full(self.rows, np.nan)

    def add(self, hours: Iterable[ActiveHour]) -> None:
        """Take in active hours; one that was there already is extended. Hours of days that are no longer held are left out."""
        where = {int(day): index for index, day in enumerate(self.days)}
        for row, utc_hour, first_minute, last_minute, _ in hours:
            hour = utc_hour + HOURS_EAST
            first, last = hour + first_minute / 60, hour + (last_minute + 1) / 60
            self.first_seen[row] = np.fmin(self.first_seen[row], first)
            self.last_seen[row] = np.fmax(self.last_seen[row], last)
            day = hour // 24
            if day not in where:
                self.roll_to(from_days(day), None)
                where = {int(known): index for index, known in enumerate(self.days)}
            if day in where:
                self.active[row, where[day], hour % 24] = True

    def exclude(self, row: int, start: float, end: float, *, learn: bool = False) -> None:
        """Nothing is learned of a row from `start` to `end` (local hours); with `learn` it is learned after all."""
        for hour in range(int(start), int(np.ceil(end))):
            index = int(np.searchsorted(self.days, hour // 24))
            if index < len(self.days) and self.days[index] == hour // 24:
                self.excluded[row, index, hour % 24] = not learn

    def roll_to(self, day: date, calendar: Calendar | None) -> None:
        """Hold every day up to `day`, and forget what is older than is held: feasts and make-up workdays later than others."""
        last = to_days(day)
        first = int(self.days[-1]) + 1 if len(self.days) else last
        if first <= last:
            fresh = np.arange(max(first, last - RECENT_DAYS), last + 1)
            empty = np.zeros((self.rows, len(fresh), 24), np.bool_)
            self.days = np.concatenate([self.days, fresh])
            self.active = np.concatenate([self.active, empty], axis=1)
            self.excluded = np.concatenate([self.excluded, empty], axis=1)
        if calendar is None:
            return
        held = [is_held(int(known), last, calendar) for known in self.days]
        if not all(held):
            self.days, self.active, self.excluded = self.days[held], self.active[:, held], self.excluded[:, held]

    def known(self) -> Bools:
        """The hours that teach something: from the first upload to the last (what follows is under test), none excluded."""
        hour = (self.days * 24)[None, :, None] + np.arange(24)[None, None, :]
        inside = (hour > self.first_seen[:, None, None] - 1) & (hour + 1 <= np.ceil(self.last_seen)[:, None, None])
        return inside & ~self.excluded
