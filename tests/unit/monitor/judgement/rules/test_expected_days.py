"""Which dates a unit owes. Weeks begin on Monday, 2024-08-05; eight of them, so that a weekday has eight dates."""

from collections.abc import Collection, Sequence
from datetime import date

import pytest

from monitor.judgement.facts import CityFacts, FeedFacts, Sums
from monitor.judgement.rules.expected_days import days_between, expected_days, missing_days, own_weekdays
from tests.unit.monitor.judgement.steady import DAY, FIRST, city, days, feed

LAST = FIRST + DAY * 55
ALL_WEEK = frozenset(range(7))
WORKDAYS = frozenset(range(5))


def sent_on(dates: Collection[date], complete_until: date = LAST) -> FeedFacts:
    return feed({day: {"C0002": Sums(1, 100)} for day in dates}, complete_until=complete_until)


def in_weeks(*dates_sent: int, weeks: int = 8) -> FeedFacts:
    """Of each weekday, Monday first, the first so many dates."""
    return sent_on([FIRST + DAY * (7 * week + day) for day, sent in enumerate(dates_sent) for week in range(sent)], last(weeks))


def last(weeks: int) -> date:
    return FIRST + DAY * (7 * weeks - 1)


@pytest.mark.parametrize(
    ("facts", "week"),
    [
        pytest.param(in_weeks(8, 8, 8, 8, 8, 8, 8), ALL_WEEK, id="every day"),
        pytest.param(in_weeks(8, 8, 8, 8, 8, 0, 0), WORKDAYS, id="workdays"),
        pytest.param(in_weeks(8, 8, 8, 8, 8, 4, 0), WORKDAYS | {5}, id="half of the Saturdays are its own"),
        pytest.param(in_weeks(7, 7, 7, 7, 7, 4, 0), WORKDAYS | {5}, id="half of what its best weekday has"),
        pytest.param(in_weeks(8, 8, 8, 8, 8, 3, 0), ALL_WEEK, id="three Saturdays of eight are too many for a week without"),
        pytest.param(in_weeks(8, 8, 8, 8, 8, 2, 0), WORKDAYS, id="two are not"),
        pytest.param(in_weeks(6, 6, 6, 6, 6, 0, 0), WORKDAYS, id="three quarters of its days are kept"),
        pytest.param(in_weeks(6, 6, 6, 6, 5, 0, 0), ALL_WEEK, id="fewer are not: it owes every day"),
        pytest.param(in_weeks(8, 8, 1, 1, 1, 1, 2), frozenset({0, 1}), id="the other days are left on all but 15 %"),
        pytest.param(in_weeks(8, 8, 1, 1, 1, 2, 2), ALL_WEEK, id="on less they are not"),
        pytest.param(in_weeks(2, 2, 2, 2, 2, 0, 0, weeks=2), WORKDAYS, id="two weeks are a week"),
        pytest.param(sent_on([]), frozenset(), id="nothing sent, no week"),
    ],
)
def test_own_week(facts: FeedFacts, week: frozenset[int]) -> None:
    assert own_weekdays(facts, city()) == week


def test_fewer_than_two_weeks_show_no_week() -> None:
    assert own_weekdays(sent_on(days(FIRST + DAY * 43, LAST)), city()) == frozenset()
    assert own_weekdays(sent_on(days(FIRST + DAY * 42, LAST)), city()) == ALL_WEEK
    assert own_weekdays(sent_on(days(FIRST + DAY * 42, LAST)), city(special=frozenset({LAST}))) == frozenset()


def test_holidays_teach_no_week() -> None:
    """Closed on the Mondays of a feast, it works on Mondays; and of a weekday that had none but holidays nothing is known."""
    mondays = frozenset(FIRST + DAY * 7 * week for week in range(8))
    closed = sent_on([day for day in days(FIRST + DAY, LAST) if day.weekday() < 5 and day not in list(mondays)[:5]])
    assert own_weekdays(closed, city()) != WORKDAYS
    feasts = frozenset(day for day in mondays if day not in closed.own_days)
    assert own_weekdays(closed, city(special=feasts)) == WORKDAYS
    assert own_weekdays(closed, city(special=mondays)) == WORKDAYS - {0}


EVERY_DAY = sent_on(days(FIRST, LAST))
SOON, LATE = FIRST + DAY * 10, LAST - DAY * 10


@pytest.mark.parametrize(
    ("first", "last", "owed"),
    [
        pytest.param(SOON, LATE, days(SOON, LATE), id="the dates asked for"),
        pytest.param(SOON, SOON, [SOON], id="a single one"),
        pytest.param(FIRST - DAY * 3, SOON, days(FIRST, SOON), id="none before the unit's first"),
        pytest.param(LATE, LAST + DAY * 3, days(LATE, LAST), id="none that may still come"),
        pytest.param(SOON, SOON - DAY, [], id="none, when the end lies before the beginning"),
    ],
)
def test_owed_dates(first: date, last: date, owed: Sequence[date]) -> None:
    assert expected_days(EVERY_DAY, city(), first, last) == owed
    assert days_between(first, last) == days(first, last)


def test_a_unit_without_a_week_owes_nothing_yet() -> None:
    assert expected_days(sent_on([LAST]), city(), FIRST, LAST) == []


def test_missing_are_the_owed_dates_that_did_not_come() -> None:
    gone = {SOON, FIRST + DAY * 12}  # a Thursday and a Saturday
    facts = sent_on([day for day in days(FIRST, LAST) if day.weekday() < 5 and day not in gone])
    assert missing_days(facts, city(), FIRST, LAST) == [SOON]


def feast(first: date, length: int, *, delivered: int) -> tuple[FeedFacts, CityFacts, list[date]]:
    """A unit that keeps the workdays, on a feast of so many days in a row, on the first few of which it delivered."""
    special = days(first, first + DAY * (length - 1))
    sent = [day for day in days(FIRST, LAST) if (day in special[:delivered] if day in special else day.weekday() < 5)]
    return sent_on(sent), city(special=frozenset(special)), special


@pytest.mark.parametrize(
    ("first", "length", "delivered", "owed"),
    [
        pytest.param(date(2024, 9, 2), 4, 3, 4, id="who works through most of a feast owes its workdays"),
        pytest.param(date(2024, 9, 2), 4, 2, 0, id="on half of it is not most"),
        pytest.param(date(2024, 9, 2), 2, 2, 2, id="two days are a feast"),
        pytest.param(date(2024, 9, 2), 1, 1, 0, id="a single special day is owed by nobody"),
        pytest.param(date(2024, 9, 5), 4, 4, 2, id="its Saturday and Sunday are not owed"),
    ],
)
def test_feasts(first: date, length: int, delivered: int, owed: int) -> None:
    facts, town, special = feast(first, length, delivered=delivered)
    assert own_weekdays(facts, town) == WORKDAYS
    found = expected_days(facts, town, FIRST, LAST)
    assert [day for day in found if day in special] == special[:owed]
    assert [day for day in found if day not in special] == [d for d in days(FIRST, LAST) if d.weekday() < 5 and d not in special]


def test_each_feast_is_judged_by_itself() -> None:
    kept, worked = days(date(2024, 8, 20), date(2024, 8, 22)), days(date(2024, 9, 3), date(2024, 9, 5))
    facts = sent_on([day for day in days(FIRST, LAST) if day not in kept and day != worked[1]])
    found = expected_days(facts, city(special=frozenset([*kept, *worked])), FIRST, LAST)
    assert [day for day in found if day in kept or day in worked] == worked
