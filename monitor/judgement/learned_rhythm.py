"""The rhythm of every unit and feed, learned from its own last weeks. Core; whole arrays, one row a unit-feed.

Only shares and greatest values of a row's own past are used, no model of its kind: what an hour of silence says
(`hour_weights`), which days always bring an upload (`own_days`), and the longest pause of a row with a steady pace.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from monitor.judgement.activity import RECENT_DAYS, ActivityHistory, Bools, Counts, Floats
from monitor.judgement.calendar import Calendar, DayKind
from monitor.judgement.hour_weights import (
    LEAST_LIMIT,
    LIMIT_BY_PACE,
    in_a_row,
    profile_codes,
    profiles,
    steady_pace,
    third_longest_gaps,
    weights_of,
)
from monitor.judgement.own_days import own_days
from schemas.clock import from_days, to_days

LEARN_AFTER_DAYS: Final = 14
HORIZON_BACK: Final = 21
HORIZON_AHEAD: Final = 17
"""Days around today for which hours are weighed: longer than any feast."""
LIMIT_OVER_OWN_GAPS: Final = 1.5
"""Uploads come in clumps: whoever has longer gaps than chance explains is given so many times his third longest."""
LATE_SHARE: Final = 0.55
"""Late is said at this share of the limit: worth a look, not a call."""


@dataclass(frozen=True)
class LearnedRhythms:
    """What is expected of every row around `first_day`. Hours are local ones since 1970; `cumulative` has one more column.

    `by_hour` is the same for whole hours as they are, none blurred into the next: units that pause all at the same time of
    day must not look like an outage; it holds nothing of rows that are not learned. `limit`, `late_limit`: surprise at which a
    row is silent, or late. `regular` rows miss a day when the own day (from `anchor` hours after midnight on) has brought
    nothing by `due` hours (`late_due`: is late); `owed` of the days in a row must be missed. A realtime row of which one day's
    hours say enough is never one: many uploads by chance look punctual, but for a lunch break. `sure[row, day]`: whether that day
    nearly always brings an upload. `occupied[row, profile, hour]`: the share of hours with an upload, for people to read.
    `longest_quiet`: the hours after which a row of steady pace is silent; infinite for all others. `by_days_only`: scheduled rows
    that owe each single day. The hours of a batch come and stay away together: their sum says nothing of it.
    """

    first_day: int
    cumulative: Floats
    by_hour: Floats
    limit: Floats
    late_limit: Floats
    regular: Bools
    anchor: Floats
    due: Floats
    late_due: Floats
    owed: Counts
    sure: Bools
    learned: Bools
    occupied: Floats
    longest_quiet: Floats
    by_days_only: Bools


def learn(
    history: ActivityHistory, calendar: Calendar, today: date, scheduled: Bools, default_hours: Floats, limit: float = LEAST_LIMIT
) -> LearnedRhythms:
    """What the history up to now says about the days around `today`.

    `scheduled` rows get more time: a business date that comes half a day late is no silence. A row that is not known for
    `LEARN_AFTER_DAYS` gets `default_hours` of silence, counted on workdays; make-up workdays count for nothing, for not all
    work on them.
    """
    days = history.days
    known, active = history.known(), history.active & ~history.excluded
    codes = profile_codes(days, calendar)
    occupied = profiles(active, known, days, codes, to_days(today), calendar)
    first_day = to_days(today) - HORIZON_BACK
    ahead = np.arange(first_day, to_days(today) + HORIZON_AHEAD)
    learned = (to_days(today) * 24.0 + 24 - history.first_seen) >= LEARN_AFTER_DAYS * 24
    weights = weights_of(occupied, ahead, calendar)
    is_workday = np.array([calendar.day(from_days(int(day))).kind is DayKind.WORKDAY for day in ahead])
    weights[~learned] = np.repeat(is_workday, 24).reshape(len(ahead), 24)
    sharp = weights_of(profiles(active, known, days, codes, to_days(today), calendar, blurred=False), ahead, calendar)
    sharp[~learned] = 0.0
    by_hour = np.zeros((history.rows, len(ahead) * 24 + 1))
    np.cumsum(in_a_row(sharp), axis=1, out=by_hour[:, 1:])
    cumulative = np.zeros((history.rows, len(ahead) * 24 + 1))
    np.cumsum(in_a_row(weights), axis=1, out=cumulative[:, 1:])
    recent = days > to_days(today) - RECENT_DAYS
    longest = third_longest_gaps(active[:, recent], known[:, recent], weights_of(occupied, days[recent], calendar))
    active_hours_a_day = 24 * (active & known)[:, recent].sum(axis=(1, 2)) / np.maximum(known[:, recent].sum(axis=(1, 2)), 1)
    by_pace = limit + LIMIT_BY_PACE * np.log(np.maximum(active_hours_a_day, 1.0))
    own_limit = np.maximum(by_pace, LIMIT_OVER_OWN_GAPS * longest)
    own_limit[~learned] = default_hours[~learned]
    regular = own_days(active, known, days, codes, calendar, ahead, scheduled)
    by_its_hours = ~scheduled & (weights.sum(axis=2).max(axis=1) >= own_limit)
    is_regular = regular.regular & learned & ~by_its_hours
    return LearnedRhythms(
        first_day,
        cumulative,
        by_hour,
        own_limit,
        own_limit * LATE_SHARE,
        is_regular,
        regular.anchor,
        regular.due,
        regular.late_due,
        regular.owed,
        regular.sure,
        learned,
        occupied,
        np.where(learned, steady_pace(active[:, recent], known[:, recent], scheduled), np.inf),
        scheduled & is_regular & (regular.owed == 1),
    )
