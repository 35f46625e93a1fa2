"""Which rows send something on nearly every day of a kind, and by when. Core; whole arrays, one row a unit-feed.

A row's *own day* begins at its quietest time. A row is *regular* when its own days lack an upload far more rarely than they
would, came its uploads by chance: then one own day without any, past the hour by which all others had theirs, is missed.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from monitor.judgement.activity import RECENT_DAYS, Bools, Counts, Floats
from monitor.judgement.calendar import Calendar
from monitor.judgement.hour_weights import FEAST, MAKE_UP, PROFILES, SATURDAY, SUNDAY, in_a_row, profile_codes

_WEEK: Final = (0, 1, 2, 3, 4, SATURDAY, SUNDAY)
_RARE: Final = (FEAST, MAKE_UP)
"""The profiles of a week, and of the days that it is unlike."""
OVER_SPREAD: Final = 2.6
"""How many times the spread of a row's first uploads (latest less median) one may be later still: exponential, 1 in 60,000."""
GREATEST_SPREAD: Final = 2.0
"""Hours: a realtime feed whose first upload of the day may come at any hour is judged by its pace alone."""
SURE_SHARE: Final = 0.85
RARE_SURE_SHARE: Final = 0.95
"""Feasts and make-up workdays are few, and remembered for long: hardly one may have been missed."""
BY_CHANCE: Final = 1e-3
"""A row is regular when chance would bring so few missed days only this often: that takes fifteen days at least."""
MISSED_RUN: Final = 5e-4
"""So many sure days in a row have to be missed that chance, at the row's own rate, brings it this often."""
GRACE_SCHEDULED: Final = 12.0
GRACE_REALTIME: Final = 1.0
"""Hours past the latest hour ever: a business date that comes half a day late is no silence."""


@dataclass(frozen=True)
class OwnDays:
    """What is known of every row's own days; hours are counted from the own day's beginning, `anchor` hours after midnight."""

    regular: Bools
    anchor: Floats
    due: Floats
    late_due: Floats
    owed: Counts
    sure: Bools


def own_days(
    active: Bools,
    known: Bools,
    days: Counts,
    codes: Counts,
    calendar: Calendar,
    ahead: Counts,
    scheduled: Bools,
) -> OwnDays:
    """Who nearly always sends on which days, and by which hour."""
    rows = active.shape[0]
    anchor = quietest_hour(active & known)
    breaks: Bools = np.asarray(np.diff(days) != 1)
    own_active, own_known = as_own_days(active, anchor, breaks), as_own_days(known, anchor, breaks)
    whole: Bools = np.asarray(own_known.all(axis=2))
    hit: Bools = own_active.any(axis=2) & whole
    first = np.where(hit, own_active.argmax(axis=2) + 1.0, np.nan)
    sure_code = np.zeros((rows, PROFILES), np.bool_)
    rare = np.isin(codes, _RARE)
    usual: Bools = ~rare & (days > days[-1] - RECENT_DAYS)
    for code in (*_WEEK, *_RARE):
        chosen = (codes == code) & (rare | usual)
        seen, came = whole[:, chosen].sum(axis=1), hit[:, chosen].sum(axis=1)
        least, share = (4, RARE_SURE_SHARE) if code in _RARE else (2, SURE_SHARE)
        sure_code[:, code] = (seen >= least) & (came >= share * seen)
    any_day = works_any_day(sure_code, whole[:, codes == MAKE_UP], hit[:, codes == MAKE_UP])
    sure_code[:, MAKE_UP] = np.logical_or(sure_code[:, MAKE_UP], any_day)
    sure_past: Bools = np.asarray(sure_code[:, codes] & whole & usual)  # what was missed on a feast is no habit of other days
    expected = sure_past.sum(axis=1)
    missed = (sure_past & ~hit).sum(axis=1)
    owed = days_owed(expected, missed, longest_run(sure_past, hit))
    sessions = sessions_of(own_active & own_known)
    mean = np.where(sure_past, sessions, 0).sum(axis=1) / np.maximum(expected, 1)
    by_chance = np.exp(-mean)  # of a day without any, did uploads come by chance
    proven = log_binomial_tail(missed, expected, by_chance) < np.log(BY_CHANCE)
    with np.errstate(all="ignore"):
        reached: Floats = np.asarray(np.where(sure_past, first, np.nan))
        latest = nearly_latest(reached)
        never: Bools = np.isnan(reached).all(axis=1).reshape(-1, 1)
        middle = np.nanmedian(np.where(never, 24.0, reached), axis=1)
    spread = np.maximum(latest - middle, 0.0)
    due = latest + np.where(
        scheduled, np.maximum(GRACE_SCHEDULED, OVER_SPREAD * spread), np.maximum(GRACE_REALTIME, OVER_SPREAD * spread)
    )
    late_due = latest + np.where(scheduled, np.maximum(1.0, spread), np.maximum(0.5, spread / 2))
    ahead_codes = profile_codes(ahead, calendar)
    sure = sure_code[:, ahead_codes]
    punctual = scheduled | (spread <= GREATEST_SPREAD)
    return OwnDays(proven & punctual & (owed <= 4), anchor, due, late_due, owed, sure)


def works_any_day(sure_code: Bools, seen: Bools, came: Bools) -> Bools:
    """Who is sure on workdays, Saturdays and Sundays alike, and has missed no make-up workday: he works on the next one too."""
    always: Bools = np.asarray(sure_code[:, _WEEK].all(axis=1))
    return always & ~np.asarray((seen & ~came).any(axis=1))


def nearly_latest(reached: Floats) -> Floats:
    """The latest hour by which a day's first upload came, but for one day of twenty or two of sixty: those may be odd.

    NaN is a day without; minus infinity is said of a row that has no other.
    """
    ordered = np.sort(np.where(np.isnan(reached), -np.inf, reached))
    number = (~np.isnan(reached)).sum(axis=1)
    odd = np.where(number >= 60, 2, np.where(number >= 20, 1, 0))
    latest: Floats = np.take_along_axis(ordered, (-1 - odd)[:, None], axis=1)[:, 0]
    return latest


def quietest_hour(active: Bools) -> Floats:
    """Where a row's own day begins, in hours from midnight (-12 to 12): amid the six hours in which it is least active.

    Who sends around midnight begins at noon: on the day before, if mostly after midnight, so that it is the day of its uploads.
    """
    by_hour = active.sum(axis=1)
    around = np.sum([np.roll(by_hour, away, axis=1) for away in range(-3, 3)], axis=0)
    angle = np.arange(24) * 2 * np.pi / 24
    middle = np.arctan2((by_hour * np.sin(angle)).sum(axis=1), (by_hour * np.cos(angle)).sum(axis=1)) * 24 / (2 * np.pi)
    # of equally quiet hours the one farthest from its uploads
    opposite = (middle[:, None] - np.arange(24)[None, :]) % 24 - 12
    quiet = around <= around.min(axis=1)[:, None] + 0.03 * by_hour.sum(axis=1)[:, None]
    hour = np.where(quiet, np.abs(opposite), np.inf).argmin(axis=1)
    anchor: Floats = np.where((hour > 12) | ((hour == 12) & (middle >= 0)), hour - 24.0, hour)
    return anchor


def as_own_days(hours: Bools, anchor: Floats, breaks: Bools) -> Bools:
    """The days shifted so that each begins at its row's anchor. `breaks`: after which days the following one is not held.

    Own days that reach into a day that is not held are False as a whole.
    """
    rows, count, _ = hours.shape
    index = np.arange(count * 24)[None, :] + anchor[:, None].astype(np.int64)
    own = np.take_along_axis(in_a_row(hours), index % (count * 24), axis=1).reshape(rows, count, 24)
    reaches_on = (anchor > 0)[:, None] & np.append(breaks, True)
    reaches_back = (anchor < 0)[:, None] & np.append(True, breaks)
    found: Bools = own & ~(reaches_on | reaches_back)[:, :, None]
    return found


def sessions_of(own: Bools) -> Counts:
    """How many separate times of activity each own day had: hours no more than two apart are one."""
    starts = own.copy()
    for back in (1, 2):
        starts[:, :, back:] &= ~own[:, :, :-back]
    sessions: Counts = starts.sum(axis=2)
    return sessions


def longest_run(sure: Bools, hit: Bools) -> Counts:
    """The longest run of sure days without an upload; days that are not sure do not break a run."""
    run = np.zeros(sure.shape[0], np.int64)
    longest = run.copy()
    for day in range(sure.shape[1]):
        run = np.where(sure[:, day], np.where(hit[:, day], 0, run + 1), run)
        longest = np.maximum(longest, run)
    return longest


def days_owed(expected: Counts, missed: Counts, longest: Counts) -> Counts:
    """How many sure days in a row must be missed: one for whom none ever was, else enough that chance does not bring it."""
    share = (missed + 0.3) / (expected + 1.0)
    enough = np.ceil(np.log(MISSED_RUN) / np.log(share))
    return np.where(missed == 0, 1, np.maximum(enough, longest + 1)).astype(np.int64)


def log_binomial_tail(misses: Counts, days: Counts, chance: Floats) -> Floats:
    """Ln of the chance of so few misses or fewer in so many days (a bound by Chernoff; 0 where there were as many as that)."""
    with np.errstate(all="ignore"):
        share = misses / np.maximum(days, 1)
        apart = np.where(share > 0, share * np.log(share / chance), 0.0) + (1 - share) * np.log((1 - share) / (1 - chance))
        return np.where(share < chance, -days * np.nan_to_num(apart), 0.0)
