"""What is remembered of each row's hours, and which of them teach. Hours are local, counted from a midnight."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

import numpy as np
import pytest

from monitor.judgement.activity import HOURS_EAST, RARE_DAYS_KEPT, RECENT_DAYS, ActiveHour, ActivityHistory, is_held, local_hours
from monitor.judgement.calendar import Calendar
from schemas.clock import start_of_day, to_days

TUESDAY: Final = date(2024, 9, 10)
DAY: Final = timedelta(days=1)
MIDNIGHT: Final = to_days(TUESDAY) * 24


def history(rows: int = 1, days: int = 1) -> ActivityHistory:
    """So many days up to Tuesday, of which nothing is known yet."""
    found = ActivityHistory(rows)
    found.roll_to(TUESDAY - DAY * (days - 1), None)
    found.roll_to(TUESDAY, None)
    return found


def active(hour: int, row: int = 0, first: int = 0, last: int = 59) -> ActiveHour:
    return ActiveHour(row, MIDNIGHT + hour - HOURS_EAST, first, last, 1)


def days_of(of: ActivityHistory) -> list[int]:
    """The days that are held, counted from Tuesday."""
    return [int(day) - to_days(TUESDAY) for day in of.days]


def test_a_local_day_begins_at_a_whole_day() -> None:
    assert local_hours(start_of_day(TUESDAY)) == MIDNIGHT
    assert local_hours(start_of_day(TUESDAY) + timedelta(minutes=90)) == MIDNIGHT + 1.5


def test_an_upload_marks_its_hour_and_when_the_row_was_first_and_last_seen() -> None:
    one = history(rows=2)
    one.add([active(9, first=15, last=29), active(8, first=30, last=59)])
    assert np.argwhere(one.active).tolist() == [[0, 0, 8], [0, 0, 9]]
    assert (one.first_seen[0] - MIDNIGHT, one.last_seen[0] - MIDNIGHT) == (8.5, 9.5)
    assert np.isnan([one.first_seen[1], one.last_seen[1]]).all()
    one.add([active(7, row=1, first=3, last=5)])
    assert (one.first_seen[1] - MIDNIGHT).round(6) == 7.05
    assert (one.last_seen[1] - MIDNIGHT).round(6) == 7.1


def test_the_first_upload_of_all_begins_the_history() -> None:
    one = ActivityHistory(1)
    one.add([active(9), active(24 + 1)])
    assert days_of(one) == [0, 1]
    assert np.argwhere(one.active).tolist() == [[0, 0, 9], [0, 1, 1]]


def test_an_upload_after_the_last_day_rolls_the_history_on_and_one_before_the_first_day_is_left_out() -> None:
    one = history()
    one.add([active(24 * 3 + 5), active(-2), active(24 + 6)])
    assert days_of(one) == [0, 1, 2, 3]
    assert np.argwhere(one.active).tolist() == [[0, 1, 6], [0, 3, 5]]
    assert one.first_seen[0] == MIDNIGHT - 2, "but known to have been"


def test_an_upload_on_a_day_that_was_forgotten_amid_others_is_left_out() -> None:
    one = history(days=3)
    one.days, one.active = one.days[[0, 2]], one.active[:, [0, 2]]
    one.excluded = one.excluded[:, [0, 2]]
    one.add([active(-24 + 5), active(5)])
    assert days_of(one) == [-2, 0]
    assert np.argwhere(one.active).tolist() == [[0, 1, 5]]


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        (9.0, 11.0, [9, 10]),
        (9.9, 10.1, [9, 10]),
        (9.5, 9.6, [9]),
        (9.0, 9.0, []),
        (-30.0, 1.0, [0]),  # what is not held is left out
        (22.0, 30.0, [22, 23]),
    ],
)
def test_hours_are_excluded_whole(start: float, end: float, hours: Sequence[int]) -> None:
    one = history(rows=2)
    one.exclude(1, MIDNIGHT + start, MIDNIGHT + end)
    assert np.argwhere(one.excluded).tolist() == [[1, 0, hour] for hour in hours]
    one.exclude(1, MIDNIGHT + start, MIDNIGHT + end, learn=True)
    assert not one.excluded.any()


def test_a_day_that_was_forgotten_is_not_excluded_as_its_neighbour() -> None:
    one = history(days=3)
    one.days, one.active = one.days[[0, 2]], one.active[:, [0, 2]]
    one.excluded = one.excluded[:, [0, 2]]
    one.exclude(0, MIDNIGHT - 24 + 5, MIDNIGHT - 24 + 7)
    assert not one.excluded.any()


def test_days_are_held_without_a_break_up_to_today_and_not_twice() -> None:
    one = history()
    one.roll_to(TUESDAY + DAY * 2, None)
    one.roll_to(TUESDAY + DAY * 2, None)
    one.roll_to(TUESDAY, None)
    assert days_of(one) == [0, 1, 2]
    assert one.active.shape == one.excluded.shape == (1, 3, 24)


def test_after_a_long_pause_only_the_days_that_are_remembered_are_held() -> None:
    one = history()
    one.roll_to(TUESDAY + DAY * 1_000, None)
    assert days_of(one) == [0, *range(1_000 - RECENT_DAYS, 1_001)]


def test_ordinary_days_are_forgotten_after_weeks_and_feasts_and_make_up_workdays_after_more_than_a_year() -> None:
    national_day = date(2023, 10, 1)
    one = ActivityHistory(1)
    one.roll_to(national_day - DAY, None)
    one.add([ActiveHour(0, (to_days(national_day) + 1) * 24 + 9 - HOURS_EAST, 0, 59, 1)])
    for day in range(8):
        one.roll_to(national_day + DAY * day, None)
    one.exclude(0, to_days(national_day) * 24.0, to_days(national_day) * 24.0 + 1)
    today = national_day + DAY * RARE_DAYS_KEPT
    one.roll_to(today - DAY, Calendar())
    assert one.days[:8].tolist() == [to_days(national_day) + day for day in range(8)], "a feast to the 6th, then two workdays"
    assert one.days[8] == to_days(today) - RECENT_DAYS
    assert np.argwhere(one.active).tolist() == [[0, 1, 9]]
    assert np.argwhere(one.excluded).tolist() == [[0, 0, 0]]
    one.roll_to(today, Calendar())
    assert one.days[0] == to_days(national_day) + 1
    assert one.days[7] == to_days(today) - RECENT_DAYS + 1
    assert np.argwhere(one.active).tolist() == [[0, 0, 9]]


def test_hours_teach_from_the_first_upload_to_the_last_but_for_those_excluded() -> None:
    one = history(rows=3, days=2)
    one.add([active(-20, first=30), active(9, last=29), active(-24, row=1), active(23, row=1)])
    one.exclude(0, MIDNIGHT + 2, MIDNIGHT + 4)
    known = one.known()
    assert [(hour // 24 - 1) * 24 + hour % 24 for hour in np.flatnonzero(known[0])] == [*range(-20, 2), *range(4, 10)]
    assert known[1].all()
    assert not known[2].any(), "it was never seen"


def test_the_hour_of_the_first_upload_teaches_whenever_in_it_that_came() -> None:
    for minute in (0, 59):
        one = history()
        one.add([active(9, first=minute), active(12)])
        assert np.flatnonzero(one.known()[0, 0]).tolist() == [9, 10, 11, 12]


def test_the_days_beside_a_feast_are_remembered_as_long_as_it_is() -> None:
    """An own day may begin on the day before, and end on the day after."""
    calendar, labour_day = Calendar(), to_days(date(2024, 5, 1))  # to the 5th; the 28th of April and the 11th of May are worked
    for today in (labour_day + RECENT_DAYS + 20, labour_day + RARE_DAYS_KEPT - 4):
        held = [day - labour_day for day in range(labour_day - 3, labour_day + 12) if is_held(day, today, calendar)]
        assert held == [day for day in (-3, -2, -1, 0, 1, 2, 3, 4, 5, 9, 10, 11) if day > -4]
    assert not is_held(labour_day - 4, labour_day - 4 + RARE_DAYS_KEPT, calendar)
