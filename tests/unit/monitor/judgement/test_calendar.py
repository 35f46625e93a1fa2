from datetime import date

import pytest

from monitor.judgement.calendar import Calendar, Day, DayKind, ordinary


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2024, 9, 10), Day(DayKind.WORKDAY)),
        (date(2024, 9, 7), Day(DayKind.WEEKEND)),
        (date(2024, 9, 14), Day(DayKind.MAKE_UP, "Mid-autumn Festival")),  # a Saturday
        (date(2024, 9, 17), Day(DayKind.HOLIDAY, "Mid-autumn Festival")),
        (date(2024, 2, 12), Day(DayKind.HOLIDAY, "Spring Festival")),
        (date(2024, 2, 4), Day(DayKind.MAKE_UP, "Spring Festival")),  # a Sunday
        (date(2020, 1, 31), Day(DayKind.HOLIDAY, "Spring Festival")),  # made longer for the epidemic
    ],
)
def test_the_published_calendar_is_known(day: date, expected: Day) -> None:
    assert Calendar().day(day) == expected


def test_a_year_that_is_not_published_has_its_weekends() -> None:
    first_week = [Calendar().day(date(2093, 10, day)).kind for day in range(1, 8)]
    weekend = [day for day, kind in enumerate(first_week, 1) if kind is DayKind.WEEKEND]
    assert weekend == [3, 4]
    assert set(first_week) == {DayKind.WORKDAY, DayKind.WEEKEND}


def test_without_feasts_saturday_and_sunday_are_the_weekend() -> None:
    week = [ordinary(date(2024, 9, day)).kind for day in range(2, 9)]
    assert week == [DayKind.WORKDAY] * 5 + [DayKind.WEEKEND] * 2


def test_an_override_wins() -> None:
    closed = Calendar({date(2024, 9, 10): Day(DayKind.HOLIDAY, "flood")})
    assert closed.is_day_off(date(2024, 9, 10))
    assert not closed.is_day_off(date(2024, 9, 11))


def test_the_days_around_a_long_feast_are_near_it() -> None:
    near = [day for day in range(1, 29) if Calendar().near_long_feast(date(2024, 2, day))]
    assert near == [8, 9, 18, 19]


def test_a_long_feast_of_one_day_has_two_days_around_it_on_each_side() -> None:
    closed = Calendar({date(2093, 1, 15): Day(DayKind.HOLIDAY, "Spring Festival")})
    assert [day for day in range(1, 29) if closed.near_long_feast(date(2093, 1, day))] == [13, 14, 16, 17]
    other = Calendar({date(2093, 1, 15): Day(DayKind.HOLIDAY, "flood")})
    assert not any(other.near_long_feast(date(2093, 1, day)) for day in range(1, 29))
