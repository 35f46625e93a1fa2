from datetime import date
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from monitor.counting.unit_days import Measures
from monitor.judgement.facts import UnitFacts
from monitor.judgement.rules.contradictions import FAMILY
from tests.unit.monitor.judgement.rules.cases import Case, check, names
from tests.unit.monitor.judgement.steady import DAY, FIRST, TODAY, days, found_rules, measures, unit

LAST = TODAY - DAY * 2


def carrying(since: date, **changed: Any) -> UnitFacts:
    """From `since` on the uploads carry `changed` in place of the usual."""
    return unit(measures={d: measures(d)._replace(**changed) if d >= since else measures(d) for d in days(FIRST, LAST)})


def small_ward(revenue_cents: int) -> UnitFacts:
    return carrying(FIRST, discharges=None, inpatient_cents=revenue_cents)


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
]


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_contradictions(case: Case, snapshot: SnapshotAssertion) -> None:
    check(case, FAMILY, snapshot)


def test_a_city_that_reports_no_revenue_is_no_contradiction() -> None:
    bare = {day: Measures(measures(day).visits, measures(day).discharges) for day in days(FIRST, LAST)}
    assert found_rules(*[unit(number, measures=bare) for number in range(8)], peers=0) == []
