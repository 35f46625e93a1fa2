"""One unit's own rhythm: a day that lies around midnight, a pace with an odd pause, a pause that is a habit."""

from collections.abc import Iterable
from datetime import date

import numpy as np

from monitor.counting.feeds import Feed
from monitor.judgement.activity import HOURS_EAST, ActiveHour, ActivityHistory
from monitor.judgement.calendar import Calendar
from monitor.judgement.conditions import CityState, evaluate
from monitor.judgement.whole_outages import scopes_of
from schemas.clock import to_days
from schemas.events import UnitId

FIRST_DAY = 19_850
"""2024-05-07, a Tuesday; the Dragon Boat Festival is on 8 to 10 June."""


def silences(uploads: Iterable[int], until: int, feed: Feed = Feed.REALTIME, first_day: int = FIRST_DAY) -> list[int]:
    """The hours after the first midnight at whose end one unit was called silent; `uploads` are such hours too."""
    keys = [(UnitId("u"), feed)]
    city = CityState(ActivityHistory(1), np.array([feed is Feed.SCHEDULED]), scopes_of(keys, []), Calendar())
    start, at = first_day * 24, set(uploads)
    called = []
    for hour in range(until):
        if hour in at:
            city.history.add([ActiveHour(0, start + hour - HOURS_EAST, 12, 20, 1)])
        if len(evaluate(city, start + hour + 1.0).began):
            called.append(hour)
    return called


def around_midnight(days: int) -> list[int]:
    """One upload for each day, now before midnight, now after it: some calendar days have two and some none."""
    return [day * 24 + 24 + (-1, 0, 0, -1, 0)[day % 5] for day in range(days)]


def test_a_unit_that_uploads_around_midnight_is_never_silent_though_some_dates_have_no_upload() -> None:
    assert silences(around_midnight(50), 50 * 24) == []


def test_a_unit_that_uploads_around_midnight_is_silent_a_few_hours_after_the_first_midnight_without() -> None:
    [called] = silences(around_midnight(29), 32 * 24)
    assert 30 * 24 + 1 < called <= 30 * 24 + 6


def every_three_hours(days: int, *missed: int) -> list[int]:
    return [hour for hour in range(0, days * 24, 3) if hour not in missed]


def test_one_odd_pause_does_not_make_a_steady_unit_wait_longer() -> None:
    odd = 9 * 24 + 3
    called = silences(every_three_hours(40, odd, odd + 3), 40 * 24 + 24)
    assert called == [40 * 24 + 1], "the upload at midnight is missing, and an hour is granted"


def test_a_long_pause_every_week_is_a_habit() -> None:
    weekly = [hour for hour in every_three_hours(70) if not (hour // 24 % 7 == 5 and 6 <= hour % 24 < 15)]
    called = silences(weekly, 70 * 24)
    assert [hour for hour in called if hour > 28 * 24] == []


def test_of_a_unit_that_is_hardly_known_nothing_is_expected_on_make_up_workdays() -> None:
    tuesday = to_days(date(2023, 9, 26))
    workdays = [0, 1, 2, *range(13, 18)]  # 29 September to 6 October are holidays, 7 and 8 October make-up workdays
    assert silences([day * 24 + 19 for day in workdays], 18 * 24, Feed.SCHEDULED, tuesday) == []


MAY_FIRST = to_days(date(2023, 4, 3))
"""A Monday. Holidays: 5 April, 29 April to 3 May; make-up workdays: Sunday 23 April, Saturday 6 May."""


def test_who_sends_every_day_is_missed_on_his_first_make_up_workday() -> None:
    every_day = [day * 24 + 19 for day in range(20)]  # Sunday 23 April is day 20, the first make-up workday
    [called] = silences(every_day, 21 * 24 + 12, first_day=MAY_FIRST)
    assert called < 21 * 24 + 4, "it is due at 20:00 of that day, with a margin"


def office(days: int, *weekdays: int, hours: int = 9) -> list[int]:
    return [day * 24 + hour for day in range(days) if day % 7 in weekdays for hour in range(8, 8 + hours)]


def test_a_saturday_like_a_workday_is_believed_as_soon_as_one() -> None:
    saturday = 33  # the fifth, four are known
    first_day = to_days(date(2024, 2, 26))  # a Monday, with no holiday before 4 April
    uploads = office(saturday, 0, 1, 2, 3, 4, 5)
    [called] = silences(uploads, saturday * 24 + 24, first_day=first_day)
    assert called < saturday * 24 + 17, "on the Saturday itself, before it closes"


def test_a_quiet_saturday_is_none() -> None:
    first_day = to_days(date(2024, 2, 26))
    uploads = sorted({*office(35, 0, 1, 2, 3, 4), *office(35, 5, hours=2)})
    assert [hour for hour in silences(uploads, 35 * 24 + 8, first_day=first_day) if hour % 168 >= 120] == []
