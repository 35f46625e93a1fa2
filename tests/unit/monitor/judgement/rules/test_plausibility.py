from datetime import date

import pytest
from syrupy.assertion import SnapshotAssertion

from monitor.judgement.facts import Sums, UnitFacts
from monitor.judgement.rules.plausibility import FAMILY
from tests.unit.monitor.judgement.rules.cases import Case, check, names
from tests.unit.monitor.judgement.steady import DAY, FIRST, TABLES, TODAY, Days, days, feed, measures, steady, unit

ALL = steady(TABLES)
LAST = TODAY - DAY * 2


def one_upload(records: int, events: int = 1) -> Days:
    return {**ALL, LAST: {**ALL[LAST], "C0004": Sums(events, records)}}


def earning(factor: int, since: date = FIRST) -> UnitFacts:
    """`factor` times the usual inpatient revenue for each discharge."""
    usual = {day: measures(day) for day in days(FIRST, LAST)}
    changed = {
        day: row._replace(inpatient_cents=(row.inpatient_cents or 0) * factor) if day >= since else row
        for day, row in usual.items()
    }
    return unit(measures=changed)


CASES = [
    Case("1 as everybody", unit(), {}),
    Case("2 five times the peers' revenue for a discharge", earning(5), {}),
    Case("3 eighty times", earning(80), {"implausible_ratio": {"ratio": "yuan per discharge", "since": date(2024, 9, 1)}}),
    Case("4 twenty times its own since two days", earning(20, LAST - DAY), {"implausible_ratio": {"since": LAST - DAY}}),
    Case("5 twenty times its own for one day", earning(20, LAST), {}),
    Case(
        "6 fewest visits for its documents",
        unit(measures={day: measures(day)._replace(visits=1, outpatient_cents=31_000) for day in days(FIRST, LAST)}),
        {"implausible_ratio": {"ratio": "documents per visit"}},
    ),
    Case(
        "7 nine hundred million documents in one upload",
        unit(scheduled=feed(one_upload(900_000_000))),
        {"implausible_upload": {"records": 900_000_000, "since": LAST, "code": "C0004"}, "implausible_ratio": {}},
    ),
    Case(
        "8 two million where three hundred are usual",
        unit(scheduled=feed(one_upload(2_000_000)), measures={}),
        {"implausible_upload": {}},
    ),
    Case("9 nine million in nine hundred uploads", unit(scheduled=feed(one_upload(9_000_000, 900)), measures={}), {}),
]


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_plausibility(case: Case, snapshot: SnapshotAssertion) -> None:
    check(case, FAMILY, snapshot)
