"""No rule fires on an ordinary unit."""

from datetime import date, timedelta

import pytest

from monitor.counting.feeds import Feed
from tests.unit.monitor.judgement.steady import DAY, FORMS, TABLES, TODAY, feed, found_rules, steady, unit


def test_steady_unit_has_no_finding() -> None:
    assert found_rules(unit()) == []


def test_unit_that_never_works_on_weekends_has_no_finding() -> None:
    workdays = {day: codes for day, codes in steady(TABLES).items() if day.weekday() < 5}
    forms = {day: codes for day, codes in steady(FORMS, last=TODAY - DAY).items() if day.weekday() < 5}
    assert found_rules(unit(scheduled=feed(workdays), realtime=feed(forms, Feed.REALTIME))) == []


def test_feast_that_everybody_keeps_is_nobodys_finding() -> None:
    feast = frozenset(date(2024, 9, day) for day in (15, 16, 17))
    closed = {day: codes for day, codes in steady(TABLES).items() if day not in feast}
    assert found_rules(unit(scheduled=feed(closed)), special=feast) == []


def test_fixed_numbers_every_day_are_a_habit_and_no_copy() -> None:
    monday = steady(TABLES)[date(2024, 8, 5)]
    fixed = dict.fromkeys(steady(TABLES), monday)
    assert found_rules(unit(scheduled=feed(fixed))) == []


@pytest.mark.parametrize("age", [1, 3, 6, 9])
def test_young_unit_is_not_judged_by_a_history_that_it_does_not_have(age: int) -> None:
    first = TODAY - timedelta(days=age + 2)
    young = unit(scheduled=feed(steady(TABLES, first=first)), realtime=feed(steady(FORMS, first, TODAY - DAY), Feed.REALTIME))
    assert found_rules(young) == []
