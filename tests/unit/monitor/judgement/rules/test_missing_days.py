from datetime import date

import pytest
from syrupy.assertion import SnapshotAssertion

from monitor.counting.feeds import Feed
from monitor.counting.unit_days import Arrivals
from monitor.judgement.rules.missing_days import FAMILY, owed, spans
from schemas.clock import start_of_day
from tests.unit.monitor.judgement.rules.cases import Case, check, names
from tests.unit.monitor.judgement.steady import DAY, FORMS, TABLES, TODAY, Days, city, days, feed, steady, unit, without

ALL = steady(TABLES)
LIVE = steady(FORMS, last=TODAY - DAY)


def lacking(*gone: date, of: Days = ALL) -> Days:
    return {day: codes for day, codes in of.items() if day not in gone}


SOME = [date(2024, 9, day) for day in (3, 10, 11)]
WORKDAYS = {day: codes for day, codes in ALL.items() if day.weekday() < 5}
CRAMMED = [
    Arrivals(max(row.sent_on, date(2024, 8, 30)) if row.business_date.month == 8 else row.sent_on, *row[1:])
    for row in feed(ALL).arrivals
]


def lacking_table(*stretches: tuple[date, int]) -> Days:
    """Stretches of so many days without one table."""
    found = ALL
    for start, length in stretches:
        found = without(found, ["C0002"], start, start + DAY * (length - 1))
    return found


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
    Case(
        "13 a table that comes on half of the days is not owed",
        unit(scheduled=feed(lacking_table((date(2024, 8, 12), 20), (SOME[2], 10)))),
        {},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_missing_days(case: Case, snapshot: SnapshotAssertion) -> None:
    check(case, FAMILY, snapshot)


def test_month_sent_at_its_end_is_crammed(snapshot: SnapshotAssertion) -> None:
    september = {**steady(TABLES, last=date(2024, 8, 31))}
    crammed = feed(september, arrivals=[row for row in CRAMMED if row.business_date.month == 8], complete_until=date(2024, 8, 31))
    case = Case("", unit(scheduled=crammed), {"month_end_cramming": {"severity": "summary"}})
    check(case, FAMILY, snapshot, clock=start_of_day(date(2024, 9, 2)))


def test_owed_tables_are_named_by_date() -> None:
    facts = feed(lacking(SOME[0], of=without(ALL, ["C0004"], SOME[1], SOME[1])))
    assert owed(facts, city()) == {SOME[0]: sorted(TABLES), SOME[1]: ["C0004"]}


def test_spans_are_read_at_a_glance() -> None:
    assert spans([*days(date(2024, 9, 2), date(2024, 9, 4)), date(2024, 9, 9)]) == "2024-09-02–09-04, 2024-09-09"
    assert spans([date(2024, 9, day) for day in range(1, 30, 2)]).endswith("(+9)")
