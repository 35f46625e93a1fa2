"""What is usual for a unit, by numbers that can be checked by hand."""

from datetime import date
from math import log, sqrt

import pytest

from monitor.judgement.facts import DayKind, Sums
from monitor.judgement.rules.usual import Level, levels, ordinary_days
from tests.unit.monitor.judgement.steady import DAY, FIRST, city, days, feed

MONDAYS = [FIRST + DAY * 7 * week for week in range(40)]


def level_of(*records: int) -> Level:
    """The level of workdays with so many documents, all of them Mondays."""
    return levels(MONDAYS[: len(records)], dict(zip(MONDAYS, records, strict=False)), city())[DayKind.WORKDAY]


def test_middle_lowest_and_highest() -> None:
    level = level_of(100, 140, 120)
    assert (level.middle, level.lowest, level.highest, level.days) == (120, 100, 140, 3)


def test_of_ten_days_one_may_be_odd() -> None:
    nine = level_of(1, 100, 101, 102, 103, 104, 105, 106, 9_000)
    assert (nine.lowest, nine.highest) == (1, 9_000)
    ten = level_of(1, 100, 101, 102, 103, 104, 105, 106, 107, 9_000)
    assert (ten.lowest, ten.highest, ten.days) == (100, 107, 10)


def test_two_days_of_a_kind_teach_nothing() -> None:
    assert levels(MONDAYS[:2], dict.fromkeys(MONDAYS, 100), city()) == {}


def test_days_are_compared_with_their_like() -> None:
    fortnight = days(FIRST, FIRST + DAY * 20)
    records = {day: 300 if day.weekday() < 5 else 100 if day.weekday() == 5 else 50 for day in fortnight}
    found = levels(fortnight, records, city())
    assert {kind: (level.middle, level.days) for kind, level in found.items()} == {
        DayKind.WORKDAY: (300, 15),
        DayKind.SATURDAY: (100, 3),
        DayKind.SUNDAY: (50, 3),
    }


def test_days_that_are_like_no_other_teach_nothing() -> None:
    level = levels(MONDAYS[:4], dict.fromkeys(MONDAYS, 100) | {MONDAYS[0]: 1}, city(special=frozenset(MONDAYS[:1])))
    assert level[DayKind.WORKDAY] == Level(100, 100, 100, 0.1, 3)


def test_days_older_than_four_weeks_of_its_own_are_forgotten() -> None:
    assert level_of(*[1] * 2, *[100] * 28) == Level(100, 100, 100, 0.1, 28)
    assert level_of(*[1] * 2, *[100] * 27).lowest == 100  # the one that is left may be odd
    assert level_of(*[1] * 3, *[100] * 26).lowest == 1


def test_noise_is_the_usual_distance_of_the_logarithm() -> None:
    """Distances ln 2, 0, ln 4: their median, as a standard deviation; one middle was taken from three days."""
    assert level_of(199, 99, 399).noise == pytest.approx(3 / 2 * 1.4826 * log(2))
    assert level_of(199, 199, 205).noise == 0.1


def test_two_kinds_of_days_have_one_noise() -> None:
    saturdays = [day - DAY * 2 for day in MONDAYS[1:4]]
    records = dict(zip([*MONDAYS[:3], *saturdays], [199, 99, 399, 19, 9, 4], strict=True))
    found = levels(sorted(records), records, city())
    assert found[DayKind.WORKDAY].noise == found[DayKind.SATURDAY].noise == pytest.approx(6 / 4 * 1.4826 * log(2))


def test_distance_in_noises() -> None:
    """The noise of a day, of the middle (1.57 / days of it), and of counting (1 / middle)."""
    noise = sqrt(0.2**2 * (1 + 1.57 / 10) + 1 / 99)
    level = Level(99, 90, 110, 0.2, 10)
    assert level.distance(99) == 0
    assert level.distance(199) == pytest.approx(log(2) / noise)
    assert level.distance(49) == pytest.approx(-log(2) / noise)
    assert level.distance(0) == pytest.approx(-log(100) / noise)


def test_a_middle_of_nothing_is_noisy_like_one_document() -> None:
    assert Level(0, 0, 0, 0.1, 10).distance(1) == pytest.approx(log(2) / sqrt(0.01 * 1.157 + 1))


def test_ordinary_days_are_neither_holidays_nor_made_up() -> None:
    facts = feed({day: {"C0002": Sums(1, 1)} for day in days(FIRST, FIRST + DAY * 3)})
    assert ordinary_days(facts, city(special=frozenset({FIRST + DAY, date(2024, 9, 17)}))) == [
        FIRST,
        FIRST + DAY * 2,
        FIRST + DAY * 3,
    ]
