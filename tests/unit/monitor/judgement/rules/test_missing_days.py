from datetime import date

import pytest
from syrupy.assertion import SnapshotAssertion

from monitor.counting.feeds import Feed
from monitor.counting.unit_days import Arrivals
from monitor.judgement.facts import Sums, UnitFacts
from monitor.judgement.rules.missing_days import FAMILY, owed, spans
from schemas.clock import start_of_day
from tests.unit.monitor.judgement.rules.cases import Case, check, names
from tests.unit.monitor.judgement.steady import DAY, FIRST, FORMS, TABLES, TODAY, Days, city, days, feed, steady, unit, without

ALL = steady(TABLES)
LIVE = steady(FORMS, last=TODAY - DAY)


def lacking(*gone: date, of: Days = ALL) -> Days:
    return {day: codes for day, codes in of.items() if day not in gone}


SOME = [date(2024, 9, day) for day in (3, 10, 11)]
LAST = TODAY - DAY * 2
WORKDAYS = {day: codes for day, codes in ALL.items() if day.weekday() < 5}


def lacking_table(*stretches: tuple[date, int]) -> Days:
    """Stretches of so many days without one table."""
    found = ALL
    for start, length in stretches:
        found = without(found, ["C0002"], start, start + DAY * (length - 1))
    return found


def weak(records: int) -> Days:
    """One table holds so few on one date, and is away for another."""
    few = {**ALL[SOME[2]], "C0002": Sums(3, records)}
    return without({**ALL, SOME[2]: few}, ["C0002"], SOME[0], SOME[0])


def newcomer(times: int) -> Days:
    """A table that came on so many dates, and then no more."""
    begin, end = date(2024, 9, 9), date(2024, 9, 9) + DAY * times
    return {day: {c: s for c, s in its.items() if c != "C0002" or begin <= day < end} for day, its in ALL.items()}


def young(*gone: date) -> Days:
    """Eleven workdays, and all of them but those that are gone."""
    return lacking(*gone, of={day: codes for day, codes in WORKDAYS.items() if day >= date(2024, 9, 13)})


AUGUST, SEPTEMBER = date(2024, 8, 20), date(2024, 9, 16)
CASES = [
    Case("1 every day came", unit(), {}),
    Case(
        "2 a day is missing: the summary says so",
        unit(scheduled=feed(lacking(SOME[0]))),
        {"missing_days": {"dates": ["2024-09-03"], "severity": "summary"}, "backfill_debt": {"table_days": 5}},
    ),
    Case(
        "3 three days are a ticket",
        unit(scheduled=feed(lacking(*SOME))),
        {
            "missing_days": {"dates": [str(day) for day in SOME], "severity": "ticket", "days_seen": 25, "days_of_month": 28},
            "backfill_debt": {"table_days": 15},
        },
    ),
    Case("4 the newest date may be on its way", unit(scheduled=feed(lacking(TODAY - DAY * 2))), {}),
    Case("5 nor is it missed before two later ones came", unit(scheduled=feed(lacking(TODAY - DAY * 3))), {}),
    Case(
        "6 realtime days",
        unit(realtime=feed(lacking(*SOME, of=LIVE), Feed.REALTIME)),
        {"missing_days": {"days_seen": 26, "days_of_month": 29}},
    ),
    Case("7 a unit that rests at weekends owes no weekend", unit(scheduled=feed(WORKDAYS)), {}),
    Case(
        "8 but it owes its Tuesday",
        unit(scheduled=feed({day: codes for day, codes in WORKDAYS.items() if day != SOME[0]})),
        {"missing_days": {"dates": ["2024-09-03"]}, "backfill_debt": {"table_days": 5}},
    ),
    Case(
        "9 one table of one date is owed, the date itself is not missing",
        unit(scheduled=feed(without(ALL, ["C0002"], SOME[0], SOME[0]))),
        {"backfill_debt": {"table_days": 1, "dates": ["2024-09-03"]}},
    ),
    Case(
        "10 two stretches of days without a table are owed, date by date",
        unit(scheduled=feed(lacking_table((SOME[0], 9), (AUGUST, 2)))),
        {"backfill_debt": {"table_days": 11}},
    ),
    Case("11 a third stretch is a habit", unit(scheduled=feed(lacking_table((AUGUST, 2), (SOME[0], 2), (SEPTEMBER, 2)))), {}),
    Case("12 so are three single days", unit(scheduled=feed(lacking_table((AUGUST, 1), (SOME[0], 1), (SEPTEMBER, 1)))), {}),
    Case("13 away for 17 of 55 dates, it is not owed", unit(scheduled=feed(lacking_table((AUGUST, 9), (SOME[2], 8)))), {}),
    Case(
        "14 away for 16 it is",
        unit(scheduled=feed(lacking_table((AUGUST, 9), (SOME[2], 7)))),
        {"backfill_debt": {"table_days": 16}},
    ),
    Case("15 a table of the last date but one may be on its way", unit(scheduled=feed(lacking_table((LAST - DAY, 1)))), {}),
    Case(
        "16 that of the date before is owed",
        unit(scheduled=feed(lacking_table((LAST - DAY * 2, 1)))),
        {"backfill_debt": {"dates": ["2024-09-26"]}},
    ),
    Case(
        "17 a table is owed from its first date on",
        unit(scheduled=feed(lacking_table((FIRST + DAY, 1)))),
        {"backfill_debt": {"dates": ["2024-08-06"]}},
    ),
    Case("18 a table that came ten times is owed", unit(scheduled=feed(newcomer(10))), {"backfill_debt": {"table_days": 8}}),
    Case("19 one that came nine times is not", unit(scheduled=feed(newcomer(9))), {}),
    Case("20 five documents a day are enough", unit(scheduled=feed(weak(5))), {"backfill_debt": {"table_days": 1}}),
    Case("21 four are too few", unit(scheduled=feed(weak(4))), {}),
    Case(
        "22 a fortnight is missing",
        unit(scheduled=feed(lacking(*days(SOME[0], SOME[0] + DAY * 13)))),
        {"missing_days": {"days_seen": 14}, "backfill_debt": {"table_days": 70}},
    ),
    Case(
        "23 realtime days of a unit without a scheduled feed",
        unit(scheduled=feed({}), realtime=feed(lacking(SOME[0], of=LIVE), Feed.REALTIME)),
        {"missing_days": {"days_seen": 28}},
    ),
    Case(
        "24 ten own days are enough for a debt",
        unit(scheduled=feed(young(date(2024, 9, 18)))),
        {"missing_days": {"days_seen": 10}, "backfill_debt": {"table_days": 5}},
    ),
    Case(
        "25 nine are not",
        unit(scheduled=feed(young(date(2024, 9, 18), date(2024, 9, 19)))),
        {"missing_days": {"days_seen": 9}},
        {("backfill_debt", Feed.SCHEDULED)},
    ),
    Case(
        "26 who began a week ago owes nothing yet",
        unit(scheduled=feed(steady(TABLES, first=LAST - DAY * 7))),
        {},
        {("missing_days", Feed.SCHEDULED), ("backfill_debt", Feed.SCHEDULED)},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_missing_days(case: Case, snapshot: SnapshotAssertion) -> None:
    check(case, FAMILY, snapshot)


def test_month_is_judged_to_its_last_day(snapshot: SnapshotAssertion) -> None:
    october = date(2024, 10, 5)
    september = steady(TABLES, last=october - DAY * 2)
    whole = unit(
        scheduled=feed(lacking(SOME[0], of=september), complete_until=october - DAY * 2),
        realtime=feed(steady(FORMS, last=october - DAY), Feed.REALTIME, complete_until=october - DAY),
    )
    found = {"missing_days": {"days_seen": 29, "days_of_month": 30}, "backfill_debt": {"table_days": 5}}
    check(Case("", whole, found), FAMILY, snapshot, clock=start_of_day(october))


def sent(on: date, *dates: int, month: int = 8) -> list[Arrivals]:
    """A hundred documents of each of these dates, all sent on one day."""
    return [Arrivals(on, date(2024, month, day), 1, 100) for day in dates]


def in_time(*dates: int) -> list[Arrivals]:
    return [row for day in dates for row in sent(date(2024, 8, day) + DAY, day)]


AT_THE_END = date(2024, 8, 29)
OTHER_MONTHS = sent(AT_THE_END, 31, month=7) + sent(date(2024, 9, 2), 1, month=9)
LATE, THE_OTHERS = range(1, 16), in_time(*range(17, 32))
ALL_BUT_24, ALL_BUT_25 = ([day for day in range(17, 32) if day != other] for other in (24, 25))
CRAMMED = {"month_end_cramming": {"records": 1500, "of": 3000}}


def august(arrivals: list[Arrivals]) -> UnitFacts:
    return unit(scheduled=feed(steady(TABLES, last=date(2024, 8, 31)), arrivals=arrivals, complete_until=date(2024, 8, 31)))


CRAMMING = [
    Case("1 all in time", august(in_time(*LATE) + THE_OTHERS), {}),
    Case("2 half of the month in its last three days", august(sent(AT_THE_END, *LATE) + THE_OTHERS), CRAMMED),
    Case("3 less than half", august(sent(AT_THE_END, *LATE) + in_time(16) + THE_OTHERS), {}),
    Case("4 a day sooner", august(sent(AT_THE_END - DAY, *LATE) + THE_OTHERS), {}),
    Case("5 in the next month", august(sent(AT_THE_END + DAY * 4, *LATE) + THE_OTHERS), CRAMMED),
    Case("6 a date five days old counts", august(sent(AT_THE_END, *LATE[1:], 24) + in_time(1, *ALL_BUT_24)), CRAMMED),
    Case("7 one of four days does not", august(sent(AT_THE_END, *LATE[1:], 25) + in_time(1, *ALL_BUT_25)), {}),
    Case("8 nor do other months", august(sent(AT_THE_END, *LATE) + THE_OTHERS + OTHER_MONTHS), CRAMMED),
    Case("9 nothing came", august([]), {}),
    Case("10 all of it", august(sent(AT_THE_END, *range(1, 25))), {"month_end_cramming": {"records": 2400, "of": 2400}}),
]


@pytest.mark.parametrize("case", CRAMMING, ids=names(CRAMMING))
def test_month_sent_at_its_end_is_crammed(case: Case, snapshot: SnapshotAssertion) -> None:
    check(case, FAMILY, snapshot, clock=start_of_day(date(2024, 9, 2)))


def test_a_month_that_is_not_over_is_not_crammed_yet(snapshot: SnapshotAssertion) -> None:
    arrivals = sent(TODAY, *range(1, 24), month=9)
    check(Case("", unit(scheduled=feed(ALL, arrivals=arrivals)), {}), FAMILY, snapshot)


def test_owed_tables_are_named_by_date() -> None:
    facts = feed(lacking(SOME[0], of=without(ALL, ["C0004"], SOME[1], SOME[1])))
    assert owed(facts, city()) == {SOME[0]: sorted(TABLES), SOME[1]: ["C0004"]}


def test_spans_are_read_at_a_glance() -> None:
    assert spans([*days(date(2024, 9, 2), date(2024, 9, 4)), date(2024, 9, 9)]) == "2024-09-02–09-04, 2024-09-09"
    assert spans([date(2024, 9, day) for day in range(1, 30, 2)]) == (
        "2024-09-01, 2024-09-03, 2024-09-05, 2024-09-07, 2024-09-09, 2024-09-11 (+9)"
    )
