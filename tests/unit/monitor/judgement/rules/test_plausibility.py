from collections.abc import Mapping
from datetime import date

import pytest
from syrupy.assertion import SnapshotAssertion

from monitor.counting.feeds import Feed
from monitor.counting.unit_days import Measures
from monitor.judgement.facts import Sums, UnitFacts
from monitor.judgement.rules.plausibility import FAMILY
from schemas.register import UnitKind
from tests.unit.monitor.judgement.rules.cases import Case, check, names
from tests.unit.monitor.judgement.steady import DAY, FIRST, FORMS, TABLES, TODAY, Days, days, feed, measures, steady, unit

ALL = steady(TABLES)
LAST = TODAY - DAY * 2


def one_upload(records: int, events: int = 1) -> Days:
    return {**ALL, LAST: {**ALL[LAST], "C0004": Sums(events, records)}}


def earning(factor: int, since: date = FIRST) -> UnitFacts:
    """`factor` times the usual inpatient revenue for each discharge."""
    return paid(days_of=dict.fromkeys(days(since, LAST), factor))


def paid(
    number: int = 0, kind: UnitKind = UnitKind.HOSPITAL, month: float = 1.0, days_of: Mapping[date, float] | None = None
) -> UnitFacts:
    """`month` times the usual inpatient revenue for each discharge, on the days of `days_of` as many times as it says."""
    factors = days_of or {}
    rows = {day: (measures(day), factors.get(day, month)) for day in days(FIRST, LAST)}
    carried = {
        day: row._replace(inpatient_cents=round((row.inpatient_cents or 0) * factor)) for day, (row, factor) in rows.items()
    }
    return unit(number, kind, measures=carried)


def newest(of: UnitFacts, count: int) -> UnitFacts:
    """The same on its newest days only."""
    scheduled = of.feeds[Feed.SCHEDULED].days
    kept = sorted(scheduled)[-count:]
    carried = {day: of.measures[day] for day in kept}
    return unit(scheduled=feed({day: scheduled[day] for day in kept}), measures=carried)


def with_visits(visits: int, cents: int) -> UnitFacts:
    """So many times the usual visits and outpatient revenue."""
    rows = {day: measures(day) for day in days(FIRST, LAST)}
    return unit(
        measures={
            day: row._replace(visits=(row.visits or 0) * visits, outpatient_cents=(row.outpatient_cents or 0) * cents)
            for day, row in rows.items()
        }
    )


def another_table(*sizes: int) -> UnitFacts:
    """On its newest days a further table comes, in one upload each of so many documents."""
    of = dict(ALL)
    for day, size in zip(days(LAST - DAY * (len(sizes) - 1), LAST), sizes, strict=True):
        of[day] = {**ALL[day], "C0001": Sums(1, size)}
    return unit(scheduled=feed(of), measures={})


def small_upload(records: int) -> UnitFacts:
    return unit(scheduled=feed(one_upload(records)), measures={})


JUMP = {LAST - DAY: 20.0, LAST: 20.0}
ONCE = date(2024, 8, 20)

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
    Case("10 twenty times its own for three days", earning(20, LAST - DAY * 2), {"implausible_ratio": {"since": LAST - DAY * 2}}),
    Case("11 for eight days", earning(20, LAST - DAY * 7), {"implausible_ratio": {"since": LAST - DAY * 7}}),
    Case("12 eight times its own", earning(8, LAST - DAY), {}),
    Case("13 nine times its own", earning(9, LAST - DAY), {"implausible_ratio": {"usual": 14_000}}),
    Case("14 eight times its own once before", paid(days_of={ONCE: 8, **JUMP}), {"implausible_ratio": {}}),
    Case("15 nine times once before", paid(days_of={ONCE: 9, **JUMP}), {}),
    Case("16 an eighth once before", paid(days_of={ONCE: 1 / 8, **JUMP}), {"implausible_ratio": {}}),
    Case("17 a ninth once before", paid(days_of={ONCE: 1 / 9, **JUMP}), {}),
    Case("18 twenty times after ten days of its own", newest(paid(days_of=JUMP), 12), {"implausible_ratio": {}}),
    Case("19 after nine days", newest(paid(days_of=JUMP), 11), {}),
    Case("20 seven days of the month", newest(earning(80), 7), {"implausible_ratio": {}}),
    Case("21 six days", newest(earning(80), 6), {}, {("implausible_ratio", Feed.SCHEDULED)}),
    Case("22 nine times the peers'", earning(9), {}),
    Case("23 eleven times the peers'", earning(11), {"implausible_ratio": {}}),
    Case("24 an eightieth of the peers'", paid(month=1 / 80), {"implausible_ratio": {"value": 175, "usual": 14_000}}),
    Case("25 few documents for its visits are no fault", with_visits(80, 80), {}),
    Case(
        "26 the worse ratio is told, and weighs eight at most",
        unit(
            measures={
                day: row._replace(inpatient_cents=row.inpatient_cents * 80, outpatient_cents=row.outpatient_cents * 300)
                for day, row in unit().measures.items()
                if row.inpatient_cents and row.outpatient_cents
            }
        ),
        {"implausible_ratio": {"ratio": "yuan per visit"}},
    ),
    Case("27 ten million documents of a new table", another_table(10_000_000), {"implausible_upload": {"code": "C0001"}}),
    Case("28 less than ten million", another_table(9_999_999), {}),
    Case("29 a million where three hundred are usual", small_upload(1_000_000), {"implausible_upload": {"records": 1_000_000}}),
    Case("30 less than a million", small_upload(999_999), {}),
    Case("31 three hundred times the usual ten thousand", another_table(*[10_000] * 20, 3_000_000), {"implausible_upload": {}}),
    Case("32 less than that", another_table(*[10_000] * 20, 2_999_999), {}),
    Case("33 a table of ten dates", another_table(*[100] * 9, 2_000_000), {"implausible_upload": {}}),
    Case("34 a table of nine dates", another_table(*[100] * 8, 2_000_000), {}),
    Case("35 the larger of two", another_table(30_000_000, 20_000_000), {"implausible_upload": {"records": 30_000_000}}),
    Case("36 of two alike the first", another_table(20_000_000, 20_000_000), {"implausible_upload": {"since": LAST - DAY}}),
]


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_plausibility(case: Case, snapshot: SnapshotAssertion) -> None:
    check(case, FAMILY, snapshot)


def test_form_of_millions_is_told_too(snapshot: SnapshotAssertion) -> None:
    live = steady(FORMS, last=TODAY - DAY)
    live[TODAY - DAY] = {**live[TODAY - DAY], "RT01": Sums(2, 30_000_000)}
    check(
        Case("", unit(realtime=feed(live, Feed.REALTIME)), {"implausible_upload": {"per_upload": 15_000_000}}), FAMILY, snapshot
    )


def test_eight_peers_are_enough_and_only_those_of_its_kind_count(snapshot: SnapshotAssertion) -> None:
    district = paid(kind=UnitKind.DISTRICT)
    check(Case("", earning(80), {"implausible_ratio": {}}), FAMILY, snapshot, peers=8)
    check(Case("", earning(80), {}), FAMILY, snapshot, district, peers=7)


def test_ten_times_the_peers_is_enough(snapshot: SnapshotAssertion) -> None:
    def sending_a_hundred(number: int, visits: int) -> UnitFacts:
        return unit(
            number,
            scheduled=feed({day: {"C0004": Sums(1, 100)} for day in ALL}),
            measures={day: Measures(visits) for day in ALL},
        )

    case = Case("", sending_a_hundred(0, visits=10), {"implausible_ratio": {"value": 10, "usual": 1}})
    check(case, FAMILY, snapshot, *(sending_a_hundred(number, visits=100) for number in range(1, 9)), peers=0)


def test_peers_that_differ_much_say_little(snapshot: SnapshotAssertion) -> None:
    def peers(factor: float) -> list[UnitFacts]:
        return [paid(number, month=factor if number % 2 else 1 / factor) for number in range(1, 9)]

    check(Case("", earning(80), {"implausible_ratio": {}}), FAMILY, snapshot, *peers(1.5), peers=0)
    check(Case("", earning(80), {}), FAMILY, snapshot, *peers(2), peers=0)
