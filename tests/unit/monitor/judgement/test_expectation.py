"""When a row that is quiet becomes silent, by hand-made rhythms. Hours are counted from the first midnight of ten known days."""

from typing import Any

import numpy as np
import pytest

from monitor.judgement.expectation import Quiet, deadlines, expected_between
from tests.unit.monitor.judgement.paces import MIDNIGHT, rhythms

NEVER = np.inf
BY_DAY = [[1.0 if 8 <= hour % 24 < 18 else 0.0 for hour in range(240)]]


def due(since: float, pace: Any = (1.0,), *, late: bool = False, **overrides: Any) -> float:
    """The hour at which a row is silent, or late, that has been quiet since `since`; silent at a surprise of 7, late at 4."""
    found = deadlines(rhythms(pace, **overrides), np.array([MIDNIGHT + since]), late=late)
    return float(np.round(found[0] - MIDNIGHT, 6))


@pytest.mark.parametrize(
    ("since", "silent", "late"),
    [
        (10.0, 17.0, 14.0),
        (10.5, 17.5, 14.5),
        (0.0, 7.0, 4.0),
        (-30.0, 7.0, 4.0),  # what lies before the known days counts for nothing
        (232.9, 239.9, 236.9),
        (233.0, 240.0, 237.0),
        (233.5, NEVER, 237.5),  # beyond what is known
        (239.5, NEVER, NEVER),
        (500.0, NEVER, NEVER),
    ],
)
def test_a_row_is_silent_when_enough_hours_have_surprised(since: float, silent: float, late: float) -> None:
    assert (due(since), due(since, late=True)) == (silent, late)


@pytest.mark.parametrize(
    ("since", "silent", "late"),
    [
        (9.0, 16.0, 13.0),
        (12.0, 24 + 9.0, 16.0),  # six hours are left of the day
        (12.25, 24 + 9.25, 16.25),
        (20.0, 24 + 15.0, 24 + 12.0),
        (11.0, 18.0, 15.0),  # as it closes
    ],
)
def test_hours_in_which_nothing_is_expected_do_not_count(since: float, silent: float, late: float) -> None:
    assert (due(since, BY_DAY), due(since, BY_DAY, late=True)) == (silent, late)


def test_the_last_known_hour_counts_as_any_other() -> None:
    assert due(239.2, (10.0,)) == 239.9
    only_the_last = [[0.0] * 239 + [10.0]]
    assert (due(100.0, only_the_last), due(100.0, only_the_last, late=True)) == (239.7, 239.4)


def test_where_nothing_is_expected_nobody_is_silent() -> None:
    assert due(10.0, (0.0,)) == NEVER
    assert due(10.0, (0.01,)) == NEVER


def test_a_steady_pace_is_missed_by_the_clock() -> None:
    steady: dict[str, Any] = {"longest_quiet": np.array([5.0])}
    assert due(10.5, **steady) == 15.5
    assert due(10.5, (0.1,), late=True, **steady) == 14.5
    assert due(10.5, (2.0,), **steady) == 14.0, "whatever comes first"


def every_day(**overrides: Any) -> dict[str, Any]:
    """Own days begin at six in the morning; something comes by 20 hours after that, or late by 18."""
    return {"regular": np.array([True]), "anchor": np.array([6.0]), **overrides}


@pytest.mark.parametrize(
    ("since", "silent", "late"),
    [
        (10.0, 30 + 20.0, 30 + 18.0),  # today has had its upload
        (29.9, 30 + 20.0, 30 + 18.0),
        (30.0, 54 + 20.0, 54 + 18.0),  # the next own day has
        (5.0, 6 + 20.0, 6 + 18.0),  # on the day before the first
        (-100.0, 6 + 20.0, 6 + 18.0),
        (6 + 24 * 8, 6 + 24 * 9 + 20.0, 6 + 24 * 9 + 18.0),  # the last known day is owed
        (6 + 24 * 9, NEVER, NEVER),
        (6 + 24 * 30, NEVER, NEVER),
    ],
)
def test_a_regular_row_is_silent_when_its_next_day_is_missed(since: float, silent: float, late: float) -> None:
    assert due(since, (0.0,), **every_day()) == silent
    assert due(since, (0.0,), late=True, **every_day()) == late


def test_only_sure_days_are_owed() -> None:
    sure = np.array([[True, False, False, True, True, False, True, True, True, True]])
    assert due(10.0, (0.0,), **every_day(sure=sure)) == 3 * 24 + 26
    assert due(100.0, (0.0,), **every_day(sure=sure)) == 4 * 24 + 26
    assert due(10.0, (0.0,), **every_day(sure=~sure)) == 1 * 24 + 26


def test_two_days_are_owed_where_one_may_be_missed_but_one_is_late() -> None:
    two = every_day(owed=np.array([2]), sure=np.array([[True, True, False, True, *[True] * 6]]))
    assert due(10.0, (0.0,), **two) == 3 * 24 + 26
    assert due(10.0, (0.0,), late=True, **two) == 1 * 24 + 24
    assert due(6 + 24 * 8, (0.0,), **two) == NEVER


def test_a_batch_that_owes_each_day_is_judged_by_its_days_and_pace_only() -> None:
    by_days = every_day(by_days_only=np.array([True]))
    assert due(10.0, (1.0,), **every_day()) == 17.0
    assert due(10.0, (1.0,), **by_days) == 30 + 20.0
    assert due(10.0, (1.0,), late=True, **by_days) == 30 + 18.0
    assert due(10.0, (1.0,), **by_days, longest_quiet=np.array([11.0])) == 21.0


def test_a_row_that_is_not_regular_owes_no_day() -> None:
    assert due(10.0, (0.0,), **every_day(regular=np.array([False]))) == NEVER


def test_of_a_row_that_was_never_seen_a_moment_is_given_all_the_same() -> None:
    never = np.array([np.nan])
    assert deadlines(rhythms([1.0]), never) == MIDNIGHT + 7
    assert deadlines(rhythms([0.0], regular=np.array([True])), never) == MIDNIGHT + 20


def test_each_row_has_its_own_rhythm() -> None:
    three = rhythms([1.0, 2.0, 0.0], limit=np.array([7.0, 10.0, 7.0]), regular=np.array([False, False, True]))
    found = deadlines(three, MIDNIGHT + np.array([1.0, 2.0, 3.0]))
    assert (found - MIDNIGHT).tolist() == [8.0, 7.0, 24 + 20.0]


@pytest.mark.parametrize(
    ("since", "until", "surprise"),
    [
        (10.0, 12.0, 2.0),
        (9.1, 12.9, 2.0),  # 10 to 12
        (10.0, 10.9, 0.0),
        (10.1, 10.9, 0.0),
        (12.0, 10.0, 0.0),
        (-5.0, 2.0, 2.0),
        (238.0, 500.0, 2.0),
        (300.0, 500.0, 0.0),
        (-9.0, -5.0, 0.0),
    ],
)
def test_whole_hours_of_the_clock_surprise(since: float, until: float, surprise: float) -> None:
    assert expected_between(rhythms([1.0, 0.5]), MIDNIGHT + since, MIDNIGHT + until).tolist() == [surprise, surprise / 2]


def test_surprise_at_whole_hours_is_that_of_the_sharp_rhythm() -> None:
    sharp = np.concatenate([[0.0], np.cumsum(np.full(240, 3.0))])[None, :]
    assert expected_between(rhythms([1.0], by_hour=sharp), MIDNIGHT, MIDNIGHT + 2).tolist() == [6.0]


@pytest.mark.parametrize(
    ("start", "until", "overrides", "surprise"),
    [
        (20.0, 47.9, {}, 2.7),  # its hours, as long as the day is not late
        (20.0, 48.1, {}, 4.0),  # as much as being late, from 30 + 18 on
        (20.0, 50.0, {}, 4.0),
        (20.0, 50.1, {}, 7.0),  # as much as being silent, from 30 + 20 on
        (48.0, 50.1, {}, 0.2),  # it was late before the others fell silent: that is its own
        (20.0, 48.1, {"owed": np.array([2])}, 2.8),  # one who may miss a day has half of it
        (20.0, 50.1, {"learned": np.array([False])}, 3.0),
        (20.0, 50.1, {"regular": np.array([False])}, 3.0),
        (20.0, 50.1, {"regular": np.array([False]), "longest_quiet": np.array([30.0])}, 7.0),  # 20 and 30: its pace
        (20.0, 44.1, {"regular": np.array([False]), "longest_quiet": np.array([30.0])}, 4.0),
    ],
)
def test_in_a_groups_silence_one_that_misses_its_moment_says_more_than_its_hours(
    start: float, until: float, overrides: dict[str, Any], surprise: float
) -> None:
    quiet = Quiet.of(rhythms([0.1], **every_day(**overrides)), np.array([MIDNIGHT + 20.0]))
    assert np.round(quiet.surprise(MIDNIGHT + start, MIDNIGHT + until), 6).tolist() == [surprise]
