from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from monitor.counting.feeds import Feed
from monitor.counting.unit_days import Measures
from monitor.judgement.facts import UnitFacts
from monitor.judgement.rules.contradictions import FAMILY, PAIRS
from tests.unit.monitor.judgement.rules.cases import Case, check, names
from tests.unit.monitor.judgement.steady import DAY, FIRST, TABLES, TODAY, days, feed, found_rules, measures, steady, unit

LAST = TODAY - DAY * 2


def carrying(since: date, **changed: Any) -> UnitFacts:
    """From `since` on the uploads carry `changed` in place of the usual."""
    return unit(measures={d: measures(d)._replace(**changed) if d >= since else measures(d) for d in days(FIRST, LAST)})


def small_ward(revenue_cents: int) -> UnitFacts:
    return carrying(FIRST, discharges=None, inpatient_cents=revenue_cents)


def past(*visits: int | None) -> UnitFacts:
    """Its newest days carry so many visits each; there are no others."""
    dates = days(LAST - DAY * (len(visits) - 1), LAST)
    carried = {day: measures(day)._replace(visits=count) for day, count in zip(dates, visits, strict=True)}
    return unit(measures=carried)


def sending(*dates: date, **changed: Any) -> UnitFacts:
    """Sends only for `dates`, on which the uploads carry `changed`."""
    all_of_it = steady(TABLES)
    carried = {day: measures(day)._replace(**changed) for day in dates}
    return unit(scheduled=feed({day: all_of_it[day] for day in dates}), measures=carried)


def rarely(visits: int) -> UnitFacts:
    """So many visits in the month, one a day, and no revenue."""
    dates = days(date(2024, 9, 1), LAST)
    return unit(measures={day: Measures(1 if n < visits else None, None, None, None) for n, day in enumerate(dates)})


def in_few_days() -> UnitFacts:
    """It sent in August and on four days of September; on the last two of them no visits."""
    facts = sending(*days(FIRST, date(2024, 9, 2)), LAST - DAY, LAST)
    gone = {day: facts.measures[day]._replace(visits=None) for day in (LAST - DAY, LAST)}
    return replace(facts, measures={**facts.measures, **gone})


RULES = frozenset((pair.rule, Feed.SCHEDULED) for pair in PAIRS)
STOPPED = ("revenue_without_visits", Feed.SCHEDULED)

CASES = [
    Case("1 revenue and visits agree", unit(), {}),
    Case(
        "2 revenue all month, visits never",
        carrying(FIRST, visits=None),
        {"revenue_without_visits": {"since": date(2024, 9, 1), "visits": 0}},
    ),
    Case("3 a visit of 0 is no visit", carrying(FIRST, visits=0), {"revenue_without_visits": {}}),
    Case(
        "4 the visits stopped two days ago",
        carrying(LAST - DAY, visits=None),
        {"revenue_without_visits": {"since": LAST - DAY}},
    ),
    Case("5 a day without visits", carrying(LAST, visits=None), {}),
    Case("6 inpatient revenue, no discharges", carrying(FIRST, discharges=None), {"revenue_without_discharges": {}}),
    Case("7 a ward so small that nobody need have left it", small_ward(300_000), {}),
    Case("8 a ward that must have discharged ten", small_ward(600_000), {"revenue_without_discharges": {}}),
    Case("9 visits without revenue", carrying(FIRST, outpatient_cents=None), {"visits_without_revenue": {}}),
    Case("10 discharges without revenue", carrying(FIRST, inpatient_cents=None), {"discharges_without_revenue": {}}),
    Case("11 nothing carried at all", unit(measures={}), {}),
    Case("12 a ward that must have discharged ten to the very yuan", small_ward(500_000), {"revenue_without_discharges": {}}),
    Case("13 hardly less", small_ward(499_999), {}),
    Case("14 ten visits without revenue", rarely(10), {"visits_without_revenue": {"visits": 10}}),
    Case("15 nine visits", rarely(9), {}),
    Case("16 seven days of the month", sending(*days(LAST - DAY * 6, LAST), visits=None), {"revenue_without_visits": {}}),
    Case("17 six days", sending(*days(LAST - DAY * 5, LAST), visits=None), {}, RULES),
    Case(
        "18 the visits stopped in a month of few days",
        in_few_days(),
        {"revenue_without_visits": {"since": LAST - DAY}},
        RULES - {STOPPED},
    ),
    Case("19 ten days with visits, and two without", past(*[5] * 10, None, None), {"revenue_without_visits": {}}),
    Case("20 nine days", past(*[5] * 9, None, None), {}),
    Case("21 four visits a day are few", past(*[4] * 10, None, None), {}),
    Case("22 a day without, four weeks ago", past(*[30] * 26, None, *[30] * 26, None, None), {}),
    Case(
        "23 a day of fifteen without, and now six", past(*[30] * 7, None, *[30] * 6, *[None] * 6), {"revenue_without_visits": {}}
    ),
    Case("24 and now five", past(*[30] * 7, None, *[30] * 6, *[None] * 5), {}),
    Case("25 three visits a day on fourteen days, and now four days without", past(*[3] * 14, *[None] * 4), {}),
]


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_contradictions(case: Case, snapshot: SnapshotAssertion) -> None:
    check(case, FAMILY, snapshot)


def test_a_city_that_reports_no_revenue_is_no_contradiction() -> None:
    bare = {day: Measures(measures(day).visits, measures(day).discharges) for day in days(FIRST, LAST)}
    assert found_rules(*[unit(number, measures=bare) for number in range(8)], peers=0) == []


BARE = [unit(number, measures=carrying(FIRST, outpatient_cents=None).measures) for number in range(5)]
TOLD = [unit(number) for number in range(5, 8)]


def test_as_many_without_revenue_as_with_it(snapshot: SnapshotAssertion) -> None:
    check(Case("", BARE[0], {"visits_without_revenue": {}}), FAMILY, snapshot, *BARE[1:3], *TOLD, peers=0)


def test_more_without_revenue_than_with_it(snapshot: SnapshotAssertion) -> None:
    check(Case("", BARE[0], {}), FAMILY, snapshot, *BARE[1:4], *TOLD, peers=0)


def test_two_with_revenue_are_no_city_to_be_compared_with(snapshot: SnapshotAssertion) -> None:
    check(Case("", BARE[0], {}), FAMILY, snapshot, *TOLD[1:], peers=0)
