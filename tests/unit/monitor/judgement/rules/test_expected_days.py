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
    ("what", "facts", "week"),
    [
        ("every day", in_weeks(8, 8, 8, 8, 8, 8, 8), ALL_WEEK),
        ("workdays", in_weeks(8, 8, 8, 8, 8, 0, 0), WORKDAYS),
        ("half of the Saturdays are its own", in_weeks(8, 8, 8, 8, 8, 4, 0), WORKDAYS | {5}),
        ("half of what its best weekday has", in_weeks(7, 7, 7, 7, 7, 4, 0), WORKDAYS | {5}),
        ("three Saturdays of eight are too many for a week without", in_weeks(8, 8, 8, 8, 8, 3, 0), ALL_WEEK),
        ("two are not", in_weeks(8, 8, 8, 8, 8, 2, 0), WORKDAYS),
        ("three quarters of its days are kept", in_weeks(6, 6, 6, 6, 6, 0, 0), WORKDAYS),
        ("fewer are not: it owes every day", in_weeks(6, 6, 6, 6, 5, 0, 0), ALL_WEEK),
        ("the other days are left on all but 15 %", in_weeks(8, 8, 1, 1, 1, 1, 2), frozenset({0, 1})),
        ("on less they are not", in_weeks(8, 8, 1, 1, 1, 2, 2), ALL_WEEK),
        ("two weeks are a week", in_weeks(2, 2, 2, 2, 2, 0, 0, weeks=2), WORKDAYS),
        ("nothing sent, no week", sent_on([]), frozenset()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_own_week(what: str, facts: FeedFacts, week: frozenset[int]) -> None:
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
    ("what", "first", "last", "owed"),
    [
        ("the dates asked for", SOON, LATE, days(SOON, LATE)),
        ("a single one", SOON, SOON, [SOON]),
        ("none before the unit's first", FIRST - DAY * 3, SOON, days(FIRST, SOON)),
        ("none that may still come", LATE, LAST + DAY * 3, days(LATE, LAST)),
        ("none, when the end lies before the beginning", SOON, SOON - DAY, []),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_owed_dates(what: str, first: date, last: date, owed: Sequence[date]) -> None:
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
    ("what", "first", "length", "delivered", "owed"),
    [
        ("who works through most of a feast owes its workdays", date(2024, 9, 2), 4, 3, 4),
        ("on half of it is not most", date(2024, 9, 2), 4, 2, 0),
        ("two days are a feast", date(2024, 9, 2), 2, 2, 2),
        ("a single special day is owed by nobody", date(2024, 9, 2), 1, 1, 0),
        ("its Saturday and Sunday are not owed", date(2024, 9, 5), 4, 4, 2),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_feasts(what: str, first: date, length: int, delivered: int, owed: int) -> None:
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
