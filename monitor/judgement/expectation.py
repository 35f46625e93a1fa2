"""When a row that has been quiet becomes silent, and how much its silence says. Core; whole arrays, one row a unit-feed."""

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
    by_pace = since + rhythms.longest_quiet * (0.8 if late else 1.0)
    found: Floats = np.fmin(np.minimum(by_weight, _missed_day(rhythms, since, late=late)), by_pace)
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
