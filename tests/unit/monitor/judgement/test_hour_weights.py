"""What single pauses, feasts and paces say, case by case; `test_learned_rhythm` has what becomes of whole months."""

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import Final

import numpy as np
import pytest

from monitor.judgement.activity import Bools, Floats
from monitor.judgement.calendar import Calendar, DayKind
from monitor.judgement.hour_weights import (
    FEAST,
    GREATEST_SHARE,
    MAKE_UP,
    PROFILES,
    SATURDAY,
    SUNDAY,
    feast_days,
    profile_codes,
    profiles,
    steady_pace,
    third_longest_gaps,
    weights_of,
)
from schemas.clock import from_days, to_days

CALENDAR: Final = Calendar()
DAY: Final = timedelta(days=1)


def test_each_day_belongs_to_a_profile() -> None:
    days = to_days(date(2024, 9, 9)) + np.arange(9)  # Monday; Saturday is worked for Mid-autumn, Sunday to Tuesday
    assert profile_codes(days, CALENDAR).tolist() == [0, 1, 2, 3, 4, MAKE_UP, FEAST, FEAST, FEAST]
    weekend = to_days(date(2024, 9, 7)) + np.arange(2)
    assert profile_codes(weekend, CALENDAR).tolist() == [SATURDAY, SUNDAY]


def at_pace(share: float, pace: float) -> float:
    return 1 - float((1 - share) ** pace)


def believed(share: float, uploads: int) -> float:
    return at_pace(share, (uploads + 2) * np.log1p(9 / (uploads + 2)) / 9)


def ten_workdays_and(saturdays: int, hours: int, per_hour: int = 10) -> float:
    """The share of a Saturday's hour from nine to ten: of ten workdays `per_hour` had an upload in each of ten hours."""
    days = to_days(date(2024, 7, 1)) + np.array([*range(5), *range(7, 12), *(5 + 7 * week for week in range(saturdays))])
    active = np.zeros((1, len(days), 24), np.bool_)
    active[:, :per_hour, 8:18] = active[:, 10:, 8 : 8 + hours] = True
    found = profiles(active, np.ones_like(active), days, profile_codes(days, CALENDAR), int(days[-1]), CALENDAR, blurred=False)
    return float(found[0, SATURDAY, 9])


_WORKDAY_SHARE: Final = 10 / 11


@pytest.mark.parametrize(
    ("what", "hours", "pace", "workdays"),
    [
        ("like a workday: hardly more than its pace is taken from it", 6, (18 + 20) / (30 * _WORKDAY_SHARE + 20), 32),
        ("less than four fifths of one", 5, 15 / (30 * _WORKDAY_SHARE), 3),
        ("none", 0, 0.0, 3),
    ],
)
def test_a_saturday_with_four_fifths_of_a_workdays_pace_is_taken_for_one(
    what: str, hours: int, pace: float, workdays: int
) -> None:
    """Uploads are believed the more, the more there are; twenty at the pace of workdays are added to them."""
    came = 3 if hours else 0
    share = (came + workdays * at_pace(_WORKDAY_SHARE, pace)) / (3 + workdays)
    assert ten_workdays_and(3, hours) == pytest.approx(believed(share, 3 * hours)), what


def test_before_three_saturdays_are_known_none_is_like_a_workday() -> None:
    share = (2 + 3 * at_pace(_WORKDAY_SHARE, 16 / (20 * _WORKDAY_SHARE))) / 5
    assert ten_workdays_and(2, 8) == pytest.approx(believed(share, 16))
    livelier = (2 + 3 * at_pace(_WORKDAY_SHARE, (24 + 20) / (20 * _WORKDAY_SHARE + 20))) / 5
    assert ten_workdays_and(2, 12) == pytest.approx(believed(livelier, 24)), "nor is it believed to be much livelier"
    assert ten_workdays_and(0, 0) == 0.0, "what is not known counts as quiet"


def test_a_saturday_may_be_livelier_than_workdays() -> None:
    pace = (30 + 20) / (30 * 5 / 11 + 20)
    assert ten_workdays_and(3, 10, per_hour=5) == pytest.approx(believed((3 + 32 * at_pace(5 / 11, pace)) / 35, 30))


def feast_hour(known: int, hours: int) -> float:
    """The share of an hour on a feast after so many known days of it with uploads in so many of ten hours; all days had ten."""
    days = to_days(date(2024, 10, 1)) + np.arange(-28, known)
    active = np.zeros((1, len(days), 24), np.bool_)
    active[:, :28, 8:18] = active[:, 28:, 8 : 8 + hours] = True
    codes = profile_codes(days, CALENDAR)
    active[0, (codes == FEAST) & (days < to_days(date(2024, 10, 1)))] = False  # Mid-autumn
    found = profiles(active, np.ones_like(active), days, codes, int(days[-1]) + 1, CALENDAR, blurred=False)
    return float(found[0, FEAST, 17])


def test_the_pace_of_a_feast_is_known_before_its_hours() -> None:
    """Its last hour has had no upload yet; three days of National Day with eight uploads each make it likely."""
    quiet, eight = feast_hour(3, 0), feast_hour(3, 8)
    assert (round(quiet, 2), round(eight, 2)) == (0.03, 0.36)


def known_feasts(today: date, first: date, days: int) -> list[date]:
    held = to_days(first) + np.arange(days)
    chosen = feast_days(held, profile_codes(held, CALENDAR), to_days(today), CALENDAR)
    return [from_days(int(day)) for day in held[chosen]]


NATIONAL_DAYS: Final = [date(2023, 9, 30) + DAY * day for day in range(7)]
MID_AUTUMN: Final = date(2023, 9, 29)


@pytest.mark.parametrize(
    ("what", "today", "same"),
    [
        ("four days before", date(2024, 9, 27), False),
        ("three days before", date(2024, 9, 28), True),
        ("amid it", date(2024, 10, 4), True),
        ("the day after", date(2024, 10, 8), True),
        ("two days after", date(2024, 10, 9), False),
        ("near one of its make-up workdays", date(2024, 9, 26), False),
        ("at another feast that is not long", date(2024, 9, 16), False),
    ],
)
def test_near_a_long_feast_only_days_of_the_same_feast_teach(what: str, today: date, same: bool) -> None:
    assert known_feasts(today, MID_AUTUMN, 20) == (NATIONAL_DAYS if same else [MID_AUTUMN, *NATIONAL_DAYS]), what


@pytest.mark.parametrize(("days", "same"), [(2, False), (3, True)])
def test_three_days_of_the_same_feast_are_enough(days: int, same: bool) -> None:
    """From Mid-autumn on, which is followed by days of National Day."""
    found = known_feasts(date(2024, 10, 2), MID_AUTUMN, days + 1)
    assert (MID_AUTUMN in found) is not same


def hours(uploads: Sequence[int], days: int = 1) -> Bools:
    return np.isin(np.arange(days * 24), uploads).reshape(1, days, 24)


ONE_A_DAY: Final = np.ones((1, 1, 24))


@pytest.mark.parametrize(
    ("uploads", "third"),
    [
        ([0, 10, 13, 18, 20], 2.0),  # pauses of 9, 2, 4 and 1
        ([3, 10, 20], 3.0),  # the hours before the first count, where they are known
        ([0, 5, 10], 0.0),  # there were two
        ([7], 0.0),
        ([], 0.0),
    ],
)
def test_third_longest_gap(uploads: Sequence[int], third: float) -> None:
    assert third_longest_gaps(hours(uploads), hours(range(24)), ONE_A_DAY).tolist() == [third]


def test_hours_that_are_not_known_are_no_part_of_a_gap() -> None:
    known = hours([hour for hour in range(24) if hour not in (11, 12)])
    assert third_longest_gaps(hours([0, 3, 10, 20]), known, ONE_A_DAY).tolist() == [2.0]
    assert third_longest_gaps(hours([0, 3, 10, 13, 20]), known, ONE_A_DAY).tolist() == [2.0]


def test_gaps_are_weighed_and_each_row_is_its_own() -> None:
    random = Random(3)
    active = np.array([[random.random() < 0.2 for _ in range(40 * 24)] for _ in range(8)]).reshape(8, 40, 24)
    weights = np.array([random.random() for _ in range(8 * 40 * 24)]).reshape(8, 40, 24)
    expected = []
    for row in range(8):
        gaps, surprise = [], 0.0
        for upload, weight in zip(active[row].flat, weights[row].flat, strict=True):
            if upload:
                gaps.append(surprise)
                surprise = 0.0
            else:
                surprise += weight
        expected.append(sorted(gaps)[-3])
    assert np.allclose(third_longest_gaps(active, np.ones_like(active), weights), expected)


def steady(pauses: Sequence[int], days: int = 0, *, scheduled: bool = False) -> float:
    """The hours after which a row is silent that had such pauses, one after the other; for so many days it was seen each hour."""
    row = [quiet < pause for pause in pauses for quiet in range(pause + 1)] + [False] * (days * 24)
    row += [False] * (-len(row) % 24)
    active = ~np.array(row, np.bool_).reshape(1, -1, 24)
    return round(float(steady_pace(active, np.ones_like(active), np.array([scheduled]))[0]), 4)


NEVER: Final = np.inf


@pytest.mark.parametrize(
    ("what", "pauses", "silent_after"),
    [
        ("twenty pauses of two hours", [2] * 20, 4.45),
        ("nineteen are too few", [2] * 19, NEVER),
        ("forty of one hour", [1] * 40, 3.3),
        ("no pause at all", [0] * 24, NEVER),
        ("one of four", [2] * 60 + [4], 6.75),
        ("the first of four", [4] + [2] * 60, 6.75),
        ("one that is more than half as long again and one", [2] * 60 + [5], NEVER),
        ("so few that one of two may be chance", [1] * 29 + [2], NEVER),
        ("so many that it is not", [1] * 39 + [2], 4.45),
    ],
)
def test_steady_pace(what: str, pauses: Sequence[int], silent_after: float) -> None:
    assert steady(pauses) == silent_after, what


def test_a_batch_may_be_six_hours_late() -> None:
    assert steady([2] * 20, scheduled=True) == 9.45


@pytest.mark.parametrize(
    ("odd", "days", "silent_after"),
    [
        (1, 20, NEVER),
        (1, 28, 4.45),
        (2, 28, NEVER),
        (2, 56, 4.45),
        (3, 84, 4.45),
        (4, 84, NEVER),
        (4, 112, NEVER),  # three at most
    ],
)
def test_one_pause_in_four_weeks_may_be_odd(odd: int, days: int, silent_after: float) -> None:
    assert steady([9] * odd + [2] * 60, days - 8) == silent_after


def test_pauses_are_counted_in_known_hours() -> None:
    active = ~np.array([quiet < 2 for _ in range(24) for quiet in range(3)]).reshape(1, 3, 24)
    known = np.ones_like(active)
    assert steady_pace(active, known, np.array([False])).round(4).tolist() == [4.45]
    known[0, 0, ::3] = False  # one of the two quiet hours of each pause of the first day
    assert steady_pace(active, known, np.array([False])).round(4).tolist() == [4.45]
    known[0, 1:, ::3] = False
    assert steady_pace(active, known, np.array([False])).round(4).tolist() == [3.3]


def test_around_a_long_feast_an_hour_has_six_tenths_of_its_weight_but_on_make_up_workdays() -> None:
    thursday = to_days(date(2024, 10, 10))  # National Day ended on the 7th; the 12th is a make-up workday
    days = thursday + np.array([-2, -1, 0, 2])
    shares = np.full((1, PROFILES, 24), 0.9)
    one = -np.log(0.1)
    assert np.allclose(weights_of(shares, days, CALENDAR)[0, :, 9], [0.6 * one, 0.6 * one, one, one])
    assert np.allclose(weights_of(np.ones_like(shares), days, CALENDAR)[0, 2, 9], -np.log(1 - GREATEST_SHARE))


def weeks(count: int, *, blurred: bool, until: date = date(2024, 7, 28), skipped: Sequence[date] = ()) -> Floats:
    """The profiles of a row that works from eight to eighteen on each workday of so many weeks, and on make-up workdays."""
    days = to_days(until) - np.arange(7 * count)[::-1]
    works = [CALENDAR.day(day).kind in (DayKind.WORKDAY, DayKind.MAKE_UP) and day not in skipped for day in map(from_days, days)]
    active = np.zeros((1, len(days), 24), np.bool_)
    active[:, works, 8:18] = True
    return profiles(active, np.ones_like(active), days, profile_codes(days, CALENDAR), int(days[-1]), CALENDAR, blurred=blurred)


@pytest.mark.parametrize(("count", "first_hour", "hour_before"), [(2, 0.93, 0.02), (8, 0.97, 0.01)])
def test_a_rhythm_has_the_sharper_edges_the_longer_it_is_known(count: int, first_hour: float, hour_before: float) -> None:
    found = weeks(count, blurred=True)[0, 1]
    assert (round(found[8], 2), round(found[7], 2)) == (first_hour, hour_before)


def test_who_stayed_away_on_a_make_up_workday_is_hardly_expected_on_the_next() -> None:
    """The first of two make-up workdays of May 2024 was the 28th of April."""
    until, first = date(2024, 5, 10), date(2024, 4, 28)
    came = weeks(6, blurred=True, until=until)[0, MAKE_UP, 10]
    away = weeks(6, blurred=True, until=until, skipped=[first, date(2024, 4, 7)])[0, MAKE_UP, 10]
    unknown = weeks(2, blurred=True)[0, MAKE_UP, 10]
    assert (round(came, 2), round(away, 2), round(unknown, 2)) == (0.96, 0.0, 0.85)
    assert weeks(2, blurred=False)[0, MAKE_UP, 10] == 0.0, "nor does it say anything of a group"
