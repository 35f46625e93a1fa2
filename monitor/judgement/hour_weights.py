"""How much an hour of silence says about each row, by kind of day and hour. Core; whole arrays, one row a unit-feed.

A weight is -ln(share of such hours without an upload): a sum of weights is the surprise at a silence. Uploads by chance have it
in proportion to their pace: at four fifths of the pace an hour has four fifths of the weight. Shares are taken from below, and
weights believed as far as the number of uploads behind them goes: what is not known counts as quiet.
"""

from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from monitor.judgement.activity import Bools, Counts, Floats
from monitor.judgement.calendar import LONG_FEASTS, Calendar, DayKind
from schemas.clock import from_days

Kind = TypeVar("Kind", bound=np.generic)

RATE_DAYS: Final = 56
"""Eight weeks set the pace: a slow drift is followed, one odd week changes little."""
LEAST_LIMIT: Final = 6.5
LIMIT_BY_PACE: Final = 2.0
"""A feed is silent at a surprise of 6.5 and twice the log of its active hours a day: once for the more chances it has to be
wrongly called, and once because doubt costs a busy feed minutes, and one of few uploads half a day."""
WORKDAY, SATURDAY, SUNDAY, FEAST, MAKE_UP = range(7, 12)
"""Profiles 0 to 6 are the workdays Monday to Friday (5 and 6 are unused), then these."""
PROFILES: Final = 12
_WORKDAYS: Final = (0, 1, 2, 3, 4)
_USUAL_LIMIT: Final = 9.0
UNKNOWN_FEAST: Final = 0.15
"""Nothing is known of a unit's first feast but this part of its quieter days' pace: enough to notice in days, not in hours."""
UNKNOWN_MAKE_UP: Final = 0.8
"""Of a workday's pace, on a first make-up workday: the State Council's notice makes it a workday, and most keep to that.

Who has stayed away on one is expected on the next only as often as he came. Of a group's silence it says nothing: units of one
make share such a habit.
"""
ALIKE: Final = 0.8
LEAST_ALIKE_HOURS: Final = 72
"""A day of the week is like a workday with this share of its pace, once so many hours of it (three days) were seen."""
PACE_UPLOADS: Final = 20.0
"""A day of the week, and feasts, have a pace of their own: what they show, and so many uploads more at the pace expected."""
ALIKE_DAYS: Final = 32.0
OTHER_DAYS: Final = 3.0
"""Their hours are those of so many workdays at that pace, besides what they show themselves: many if they are alike, or few."""
BLURRED_DAYS: Final = 3.0
"""An hour's neighbours say as much as so many days of its own: at first a rhythm has no sharp edges, after weeks it has."""
NEAR_FEAST: Final = 0.6
"""The pace around a long feast: people leave early and return late. Make-up workdays lie there, and are learned as they are."""
GREATEST_SHARE: Final = 0.985
ODD_PAUSE_DAYS: Final = 28
MOST_ODD_PAUSES: Final = 3
"""One pause in so many days may be odd, three at most in all that is remembered; what comes every fortnight is a habit."""
_AMONG: Final = MOST_ODD_PAUSES + 1


def profile_codes(days: Counts, calendar: Calendar) -> Counts:
    """Which profile each day belongs to: its weekday, Saturday, Sunday, a feast day, or a make-up workday."""
    codes = []
    for number in days:
        day = from_days(int(number))
        kind = calendar.day(day).kind
        if kind is DayKind.HOLIDAY:
            codes.append(FEAST)
        elif kind is DayKind.MAKE_UP:
            codes.append(MAKE_UP)
        else:
            codes.append({5: SATURDAY, 6: SUNDAY}.get(day.weekday(), day.weekday()))
    return np.array(codes)


def weights_of(occupied: Floats, days: Counts, calendar: Calendar) -> Floats:
    """How much each hour of silence says, [row, day, hour]."""
    codes = profile_codes(days, calendar)
    weights = _weights(occupied)[:, codes, :]
    near = (codes != MAKE_UP) & np.array([calendar.near_long_feast(from_days(int(day))) for day in days])
    weights[:, near] *= NEAR_FEAST
    return weights


def _weights(shares: Floats) -> Floats:
    """How much an hour without an upload says, when such a share of them has one."""
    weights: Floats = -np.log1p(-np.minimum(shares, GREATEST_SHARE))
    return weights


def _at_pace(shares: Floats, pace: Floats | float) -> Floats:
    """The share of hours with an upload at so many times the pace, were they by chance."""
    found: Floats = -np.expm1(-_weights(shares) * pace)
    return found


def profiles(
    active: Bools, known: Bools, days: Counts, codes: Counts, today: int, calendar: Calendar, *, blurred: bool = True
) -> Floats:
    """The share of hours with an upload, [row, profile, hour], from below: of n hours seen one more counts as empty."""
    rows = active.shape[0]
    hits = np.zeros((rows, PROFILES, 24))
    seen = np.zeros((rows, PROFILES, 24))
    recent = days > today - RATE_DAYS
    for code in (*_WORKDAYS, SATURDAY, SUNDAY, MAKE_UP):
        chosen = (codes == code) & (recent | (code == MAKE_UP))
        hits[:, code] = (active[:, chosen] & known[:, chosen]).sum(axis=1)
        seen[:, code] = known[:, chosen].sum(axis=1)
    feast = feast_days(days, codes, today, calendar)
    hits[:, FEAST] = (active[:, feast] & known[:, feast]).sum(axis=1)
    seen[:, FEAST] = known[:, feast].sum(axis=1)
    hits[:, WORKDAY] = hits[:, _WORKDAYS].sum(axis=1)
    seen[:, WORKDAY] = seen[:, _WORKDAYS].sum(axis=1)
    uploads = hits.sum(axis=2)
    shares = _shares(hits, seen, blurred=blurred)
    workday = shares[:, WORKDAY]
    uploads[:, _WORKDAYS] = uploads[:, [WORKDAY]]
    uploads[:, MAKE_UP] = uploads[:, WORKDAY]
    for code in (*_WORKDAYS, SATURDAY, SUNDAY):  # eight Tuesdays say less than forty workdays
        shares[:, code] = _of_weekday(hits[:, code], seen[:, code], workday)
    quiet = np.minimum(shares[:, SUNDAY], workday)
    shares[:, FEAST] = _of_feasts(hits[:, FEAST], seen[:, FEAST], quiet)
    any_day = np.minimum(np.minimum(shares[:, SATURDAY], shares[:, SUNDAY]), workday)
    keeps: Floats | float = UNKNOWN_MAKE_UP * _share_of_days(active, known, codes == MAKE_UP)[:, None] if blurred else 0.0
    unknown = np.maximum(_at_pace(workday, keeps), any_day)  # who works on both kinds of days works on that one too
    shares[:, MAKE_UP] = (hits[:, MAKE_UP] + 2.0 * unknown) / (seen[:, MAKE_UP] + 2.0)
    return _at_pace(shares, _trust(uploads)[:, :, None])


def _of_weekday(hits: Floats, seen: Floats, workday: Floats) -> Floats:
    """The share of each hour of a day of the week, [row, hour]: what it shows, and what workdays would at its pace."""
    uploads, expected = hits.sum(axis=1), (seen * workday).sum(axis=1)
    pace = (uploads + PACE_UPLOADS) / (expected + PACE_UPLOADS)
    like = (pace >= ALIKE) & (seen.sum(axis=1) >= LEAST_ALIKE_HOURS)
    pace = np.where(like, pace, np.minimum(pace, uploads / np.maximum(expected, 1e-9)))
    return _with_days(hits, seen, np.where(like, ALIKE_DAYS, OTHER_DAYS), _at_pace(workday, pace[:, None]))


def _of_feasts(hits: Floats, seen: Floats, quiet: Floats) -> Floats:
    """The share of each hour of a feast day: a day or two show its pace, before they show its hours."""
    pace = (hits.sum(axis=1) + PACE_UPLOADS * UNKNOWN_FEAST) / ((seen * quiet).sum(axis=1) + PACE_UPLOADS)
    return _with_days(hits, seen, np.full(len(hits), OTHER_DAYS), _at_pace(quiet, pace[:, None]))


def _with_days(hits: Floats, seen: Floats, days: Floats, shares: Floats) -> Floats:
    """What hours show, and so many days more (by row) with other shares."""
    found: Floats = (hits + days[:, None] * shares) / (seen + days[:, None])
    return found


def _share_of_days(active: Bools, known: Bools, chosen: Bools) -> Floats:
    """On how many of the chosen days a row came, of those that are known of it; 1 where none is."""
    seen: Bools = np.asarray(known[:, chosen].any(axis=2))
    came: Bools = np.asarray((active[:, chosen] & known[:, chosen]).any(axis=2))
    found: Floats = np.where(seen.any(axis=1), came.sum(axis=1) / np.maximum(seen.sum(axis=1), 1), 1.0)
    return found


def _shares(hits: Floats, seen: Floats, *, blurred: bool) -> Floats:
    """The share of each hour from below; `blurred`: with what its neighbours say."""
    if not blurred:
        return hits / (seen + 1.0)
    around = _blurred(hits) / (_blurred(seen) + 1.0)
    return (hits + BLURRED_DAYS * around) / (seen + BLURRED_DAYS + 1.0)


def _trust(uploads: Floats) -> Floats:
    """How far a pace is believed that so many uploads have shown: the surprise of a Gamma-Poisson mixture over the plain one."""
    seen = uploads + 2.0
    return seen * np.log1p(_USUAL_LIMIT / seen) / _USUAL_LIMIT


def feast_days(days: Counts, codes: Counts, today: int, calendar: Calendar) -> Bools:
    """The feast days to learn from: those of the same long feast if there were three, before or this year; all others if not."""
    near = [calendar.day(from_days(today + away)) for away in range(-1, 4)]
    names = {day.feast for day in near if day.kind is DayKind.HOLIDAY and day.feast in LONG_FEASTS}
    of_feast: Bools = np.asarray(codes == FEAST)
    if names:
        same: Bools = of_feast & np.array([calendar.day(from_days(int(day))).feast in names for day in days])
        if same.sum() >= 3:
            return same
    return of_feast


def _blurred(counts: Floats) -> Floats:
    """Each hour with half of what its neighbours have: a rhythm does not change at the stroke of the hour."""
    return counts + 0.25 * (np.roll(counts, 1, axis=-1) + np.roll(counts, -1, axis=-1))


def third_longest_gaps(active: Bools, known: Bools, weights: Floats) -> Floats:
    """The third greatest surprise between two uploads of each row's own past: a silence or two went unnoticed."""
    flat = in_a_row(active)
    weighed = np.where(in_a_row(known) & ~flat, in_a_row(weights), 0.0)
    total = np.cumsum(weighed, axis=1)
    at_uploads = np.maximum.accumulate(np.where(flat, total, 0.0), axis=1)
    gaps = np.where(flat[:, 1:], total[:, 1:] - at_uploads[:, :-1], 0.0)
    third: Floats = np.partition(gaps, -3)[:, -3]
    return third


def in_a_row(hours: NDArray[Kind]) -> NDArray[Kind]:
    """[row, day, hour] as [row, hour]."""
    return hours.reshape(len(hours), -1)


def _but_the_odd_ones(pauses: Counts, days: Counts) -> Counts:
    """The longest pause of each row but for the odd ones: an upload was missed, and nobody called it."""
    odd = np.minimum(days // ODD_PAUSE_DAYS, MOST_ODD_PAUSES)
    ordered = np.sort(np.partition(pauses, -_AMONG)[:, -_AMONG:])
    longest: Counts = np.take_along_axis(ordered, (MOST_ODD_PAUSES - odd)[:, None], axis=1)[:, 0]
    return longest


def steady_pace(active: Bools, known: Bools, scheduled: Bools) -> Floats:
    """The hours of quiet after which a row of steady pace, whose longest pause is hardly longer than its usual one, is silent."""
    flat = in_a_row(active)
    quiet = np.cumsum(in_a_row(known) & ~flat, axis=1)
    at_uploads = np.maximum.accumulate(np.where(flat, quiet, 0), axis=1)
    pauses = np.where(flat[:, 1:], quiet[:, 1:] - at_uploads[:, :-1], 0)
    number = (pauses > 0).sum(axis=1)
    longest = _but_the_odd_ones(pauses, known.any(axis=2).sum(axis=1))
    usual = np.array([float(np.median(row[row > 0])) if row.any() else 0.0 for row in pauses])
    by_chance = number * 0.5 ** (longest / np.maximum(usual, 1.0))  # so many would be longer, did uploads come by chance
    steady = (number >= 20) & (by_chance >= 10) & (longest <= 1.5 * usual + 1)
    return np.where(steady, 1.15 * (longest + 1) + np.where(scheduled, 6.0, 1.0), np.inf)
