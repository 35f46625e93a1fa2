"""When a row that has been quiet becomes silent, and how much its silence says. Core; whole arrays, one row a unit-feed."""

from dataclasses import dataclass

import numpy as np

from monitor.judgement.activity import Floats
from monitor.judgement.learned_rhythm import LearnedRhythms


def deadlines(rhythms: LearnedRhythms, since: Floats, *, late: bool = False) -> Floats:
    """The local hour at which each row, quiet since `since` (local hours), becomes silent (late); infinite if not expected."""
    start = rhythms.first_day * 24.0
    columns = rhythms.cumulative.shape[1]
    place = np.clip(np.nan_to_num(since - start), 0.0, columns - 1.001)
    whole = place.astype(np.int64)
    row = np.arange(len(since))
    low = rhythms.cumulative[row, whole]
    reached = low + (place - whole) * (rhythms.cumulative[row, whole + 1] - low)
    target = reached + (rhythms.late_limit if late else rhythms.limit)
    column = (rhythms.cumulative < target[:, None]).sum(axis=1)
    inside = np.minimum(column, columns - 1)
    before, after = rhythms.cumulative[row, inside - 1], rhythms.cumulative[row, inside]
    part = (target - before) / np.maximum(after - before, 1e-9)
    by_weight = np.where(column >= columns, np.inf, start + inside - 1 + part)
    by_weight = np.where(rhythms.by_days_only, np.inf, by_weight)
    found: Floats = np.minimum(by_weight, by_the_clock(rhythms, since, late=late))
    return found


def by_the_clock(rhythms: LearnedRhythms, since: Floats, *, late: bool = False) -> Floats:
    """When each row, quiet since `since`, has missed an own day, or paused for longer than it ever does; infinite if never."""
    by_pace = since + rhythms.longest_quiet * (0.8 if late else 1.0)
    found: Floats = np.fmin(_missed_day(rhythms, since, late=late), by_pace)
    return found


@dataclass(frozen=True)
class Quiet:
    """The silence of every row since `since`, and when it began to be late and overdue by the clock."""

    rhythms: LearnedRhythms
    since: Floats
    late: Floats
    overdue: Floats

    @classmethod
    def of(cls, rhythms: LearnedRhythms, since: Floats) -> "Quiet":
        """Work out the moments once for many groups."""
        return cls(rhythms, since, by_the_clock(rhythms, since, late=True), by_the_clock(rhythms, since))

    def surprise(self, start: float, until: float) -> Floats:
        """The surprise at each row's saying nothing from `start` to `until`: what its hours say, or its missing the moment.

        A row that was late before `start` is late by itself, and adds its hours only.
        """
        rhythms = self.rhythms
        clock = np.where(until > self.overdue, rhythms.limit, np.where(until > self.late, rhythms.late_limit / rhythms.owed, 0.0))
        counts = rhythms.learned & (self.late > start)
        found: Floats = np.maximum(expected_between(rhythms, start, until), np.where(counts, clock, 0.0))
        return found


def _missed_day(rhythms: LearnedRhythms, since: Floats, *, late: bool) -> Floats:
    """When the last of the sure days owed after `since` is past its due hour."""
    count = rhythms.sure.shape[1]
    own_day = np.floor((np.nan_to_num(since) - rhythms.anchor) / 24).astype(np.int64) - rhythms.first_day
    total = np.cumsum(rhythms.sure, axis=1)
    row = np.arange(len(since))
    until = np.where(own_day >= 0, total[row, np.clip(own_day, 0, count - 1)], 0)
    owed = 1 if late else rhythms.owed
    day = (total < (until + owed)[:, None]).sum(axis=1)
    due = rhythms.late_due if late else rhythms.due
    moment = (rhythms.first_day + day) * 24.0 + rhythms.anchor + due
    return np.where(rhythms.regular & (day < count), moment, np.inf)


def expected_between(rhythms: LearnedRhythms, since: float, until: float) -> Floats:
    """The surprise at each row's saying nothing in the whole clock hours from `since` to `until` (local hours).

    Of a row whose rhythm is not known nothing is expected.
    """
    columns = rhythms.by_hour.shape[1]
    first = min(max(int(np.ceil(since)) - rhythms.first_day * 24, 0), columns - 1)
    last = min(max(int(until) - rhythms.first_day * 24, first), columns - 1)
    found: Floats = rhythms.by_hour[:, last] - rhythms.by_hour[:, first]
    return found
