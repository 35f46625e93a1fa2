"""The parts that say which days a row owes, case by case; `test_learned_rhythm` has what becomes of whole months."""

from collections.abc import Callable, Sequence
from datetime import date
from math import log
from typing import Final

import numpy as np
import pytest

from monitor.judgement.activity import HOURS_EAST, ActiveHour, ActivityHistory, Bools
from monitor.judgement.calendar import Calendar, DayKind
from monitor.judgement.hour_weights import PROFILES, SATURDAY, SUNDAY, profile_codes
from monitor.judgement.own_days import (
    OwnDays,
    as_own_days,
    days_owed,
    log_binomial_tail,
    longest_run,
    nearly_latest,
    own_days,
    quietest_hour,
    sessions_of,
    works_any_day,
)
from schemas.clock import from_days, to_days

NONE: Final = np.nan


def hours(*uploads: Sequence[int], days: int = 1) -> Bools:
    """One row for each list of hours, counted from the first midnight."""
    return np.array([np.isin(np.arange(days * 24), row) for row in uploads]).reshape(len(uploads), days, 24)


@pytest.mark.parametrize(
    ("uploads", "anchor"),
    [
        ([12], 0),
        ([9, 15], 0),  # the middle of its uploads is noon
        ([2], -10),
        ([0], -12),
        ([23], 11),
        ([1], -11),
        ([18], 6),
        (range(8, 17), 0),  # amid the night
        (range(7, 22), 2),
        ([0, 1, 13], 9),  # of all hours amid six quiet ones that which is farthest from the uploads
        ([*range(12), *range(18, 24)], -10),  # six hours are quiet, from noon on
        ([*range(12), *range(17, 24)], -10),
        ([], -12),
    ],
)
def test_an_own_day_begins_amid_the_quietest_hours(uploads: Sequence[int], anchor: int) -> None:
    assert quietest_hour(hours(uploads)).tolist() == [anchor]


def test_hours_that_are_hardly_less_quiet_are_as_quiet() -> None:
    """A hundred days at noon, and a few at midnight: three in a hundred are overlooked, four are not."""
    noon, midnight = np.isin(np.arange(24), [12]), np.isin(np.arange(24), [0])
    for odd, anchor in ((2, 0), (3, 0), (4, 3)):
        days = np.array([noon] * 100 + [midnight] * odd)
        assert quietest_hour(days[None]).tolist() == [anchor], odd


def test_days_are_shifted_to_begin_at_each_rows_anchor() -> None:
    five = hours([24 + 5], [24 + 5], [24 + 5], days=3)
    own = as_own_days(five, np.array([0.0, 6.0, -20.0]), np.array([False, False]))
    assert np.argwhere(own).tolist() == [[0, 1, 5], [1, 0, 23], [2, 2, 1]]


def test_own_days_at_the_ends_are_not_whole() -> None:
    all_day = np.ones((5, 3, 24), np.bool_)
    own = as_own_days(all_day, np.array([0.0, 1.0, -1.0, 12.0, -11.0]), np.array([False, False]))
    assert own.all(axis=2).tolist() == [
        [True] * 3,
        [True, True, False],
        [False, True, True],
        [True, True, False],
        [False, True, True],
    ]
    assert (own.any(axis=2) == own.all(axis=2)).all()


def test_own_days_that_reach_into_a_day_that_is_not_held_are_not_whole() -> None:
    all_day = np.ones((3, 4, 24), np.bool_)
    own = as_own_days(all_day, np.array([0.0, 6.0, -6.0]), np.array([False, True, False]))
    assert own.all(axis=2).tolist() == [[True] * 4, [True, False, True, False], [False, True, False, True]]


@pytest.mark.parametrize(
    ("uploads", "sessions"),
    [([], 0), ([0], 1), ([8, 9], 1), ([8, 10], 1), ([8, 11], 2), ([0, 1, 2, 6, 8, 12, 23], 4), (range(24), 1)],
)
def test_hours_no_more_than_two_apart_are_one_session(uploads: Sequence[int], sessions: int) -> None:
    assert sessions_of(hours(uploads)).tolist() == [[sessions]]


@pytest.mark.parametrize(
    ("reached", "latest"),
    [
        ([9.0, 8.0, 10.0], 10.0),
        ([9.0, NONE, NONE], 9.0),
        ([NONE, NONE, NONE], -np.inf),
        ([9.0] * 18 + [20.0], 20.0),
        ([9.0] * 18 + [20.0, 21.0], 20.0),  # one of twenty
        ([9.0] * 19 + [21.0, NONE], 9.0),
        ([9.0] * 57 + [20.0, 21.0], 20.0),
        ([9.0] * 57 + [20.0, 21.0, 22.0], 20.0),  # two of sixty
        ([9.0] * 58 + [21.0, 22.0, NONE], 9.0),
    ],
)
def test_nearly_latest(reached: Sequence[float], latest: float) -> None:
    assert nearly_latest(np.array([reached])).tolist() == [latest]


@pytest.mark.parametrize(
    ("days", "run"),
    [("", 0), ("xxx", 0), ("x--x-", 2), ("-.-.x-", 2), ("..", 0), ("--x---", 3), ("---x--", 3)],
)
def test_longest_run_of_sure_days_without_an_upload(days: str, run: int) -> None:
    """x: an upload, -: none, a point: a day that is not sure."""
    sure = np.array([[day != "." for day in days]], np.bool_)
    assert longest_run(sure, np.array([[day == "x" for day in days]], np.bool_)).tolist() == [run]


@pytest.mark.parametrize(
    ("expected", "missed", "longest", "owed"),
    [
        (100, 0, 0, 1),
        (9, 0, 0, 1),
        (100, 1, 1, 2),  # by chance 1.3 of 101 twice in a row: once in 6,000
        (56, 1, 1, 3),
        (60, 1, 1, 2),  # 1.3 of 61: once in 2,200
        (58, 1, 1, 2),
        (57, 1, 1, 3),  # 1.3 of 58: once in 1,990
        (100, 2, 2, 3),
        (100, 1, 5, 6),
        (100, 10, 1, 4),
        (20, 5, 1, 6),
        (0, 0, 0, 1),
    ],
)
def test_days_owed(expected: int, missed: int, longest: int, owed: int) -> None:
    found = days_owed(np.array([expected]), np.array([missed]), np.array([longest]))
    assert found.tolist() == [owed]
    assert found.dtype == np.int64


@pytest.mark.parametrize(
    ("misses", "days", "chance", "tail"),
    [
        (0, 10, 0.5, 10 * log(0.5)),
        (1, 10, 0.5, -10 * (0.1 * log(0.1 / 0.5) + 0.9 * log(0.9 / 0.5))),
        (2, 8, 0.4, -8 * (0.25 * log(0.25 / 0.4) + 0.75 * log(0.75 / 0.6))),
        (0, 1, 0.5, log(0.5)),
        (5, 10, 0.5, 0.0),
        (9, 10, 0.5, 0.0),  # more than chance brings prove nothing
        (1, 1, 0.9, 0.0),
        (0, 0, 0.5, 0.0),
    ],
)
def test_chance_of_so_few_misses(misses: int, days: int, chance: float, tail: float) -> None:
    found = log_binomial_tail(np.array([misses]), np.array([days]), np.array([chance]))
    assert np.allclose(found, tail)


def of_sundays(days: str) -> OwnDays:
    """What is owed on a Sunday by a row that sent at noon of some of so many Sundays (x), one after the other."""
    held = np.arange(20_000, 20_000 + len(days))
    active = hours([day * 24 + 12 for day, sent in enumerate(days) if sent == "x"], days=len(days))
    codes, next_sunday = np.full(len(days), SUNDAY), np.array([to_days(date(2024, 7, 7))])
    return own_days(active, np.ones_like(active), held, codes, Calendar(), next_sunday, np.array([True]))


@pytest.mark.parametrize(
    ("days", "sure"), [("xx", True), ("x", False), ("x" * 17 + "---", True), ("x" * 16 + "----", False), ("x-", False)]
)
def test_a_kind_of_day_is_sure_where_two_are_known_and_seventeen_of_twenty_had_an_upload(days: str, sure: bool) -> None:
    assert of_sundays(days).sure.tolist() == [[sure]]


@pytest.mark.parametrize(
    ("days", "owed", "regular"),
    [
        ("x" * 16, 1, True),
        ("x" * 15, 1, False),  # chance brings that once in 972
        ("x" * 50 + "-" + "x" * 9, 2, True),
        ("x" * 50 + "---" + "x" * 47, 4, True),
        ("x" * 50 + "----" + "x" * 46, 5, False),
    ],
)
def test_who_is_proven_to_miss_no_more_than_three_days_in_a_row_is_regular(days: str, owed: int, regular: bool) -> None:
    found = of_sundays(days)
    assert (found.owed.tolist(), found.regular.tolist()) == ([owed], [regular])


def test_who_is_sure_on_each_day_of_the_week_and_missed_no_make_up_workday_works_any_day() -> None:
    week = [0, 1, 2, 3, 4, SATURDAY, SUNDAY]
    sure = np.zeros((len(week) + 3, PROFILES), np.bool_)
    sure[:, week] = True
    for row, code in enumerate(week):
        sure[row, code] = False
    seen = np.zeros((len(sure), 2), np.bool_)
    seen[-3:-1] = True
    came = np.zeros_like(seen)
    came[-3, 0] = came[-2] = True
    assert np.flatnonzero(works_any_day(sure, seen, came)).tolist() == [len(sure) - 2, len(sure) - 1]


def on_friday(habit: Callable[[int, DayKind], bool], hour: int) -> OwnDays:
    """What is owed on Sunday 29 September 2024, a make-up workday, by a row that sends at this hour of such days."""
    calendar, today = Calendar(), to_days(date(2024, 9, 27))
    history = ActivityHistory(1)
    for day in range(today - 400, today + 1):
        history.roll_to(from_days(day), calendar)
        if habit(day, calendar.day(from_days(day)).kind):
            history.add([ActiveHour(0, day * 24 + hour - HOURS_EAST, 0, 9, 1)])
    codes, sunday = profile_codes(history.days, calendar), np.array([today + 2])
    return own_days(history.active, history.known(), history.days, codes, calendar, sunday, np.array([False]))


@pytest.mark.parametrize("hour", [3, 9, 21])
def test_a_make_up_workday_is_known_wherever_the_own_day_begins(hour: int) -> None:
    works = {DayKind.WORKDAY, DayKind.MAKE_UP}
    assert on_friday(lambda day, kind: kind in works, hour).sure.tolist() == [[True]]
    assert on_friday(lambda day, kind: kind is DayKind.WORKDAY, hour).sure.tolist() == [[False]]


def test_what_is_missed_on_feasts_and_make_up_workdays_is_held_against_no_other_day() -> None:
    """Every day but holidays, and but one make-up workday of seven: on other days no upload was ever missed."""
    missed = to_days(date(2024, 2, 4))
    found = on_friday(lambda day, kind: kind is not DayKind.HOLIDAY and day != missed, 9)
    assert (found.owed.tolist(), found.regular.tolist(), found.sure.tolist()) == ([1], [True], [[False]])
