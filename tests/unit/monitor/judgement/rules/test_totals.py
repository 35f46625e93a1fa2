from datetime import date

import pytest
from syrupy.assertion import SnapshotAssertion

from monitor.counting.unit_days import HealthDay
from monitor.judgement.rules.totals import FAMILY
from tests.unit.monitor.judgement.rules.cases import Case, check, names
from tests.unit.monitor.judgement.steady import DAY, FIRST, TODAY, days, unit

ALL = days(FIRST, TODAY)


def totals(*base: int | None) -> list[HealthDay]:
    """The last snapshots' base totals, after a history that grew by ten a day to 500,000."""
    history = [500_000 - 10 * n for n in range(len(ALL) - len(base), 0, -1)]
    return [HealthDay(day, value, None, None) for day, value in zip(ALL, [*history, *base], strict=True)]


def of_days(*base: int) -> list[HealthDay]:
    """As many snapshots as there are numbers, the last one today."""
    return [HealthDay(day, value, None, None) for day, value in zip(ALL[-len(base) :], base, strict=True)]


def growing(days_of_growth: int, still: int) -> list[int]:
    """A total that grows for so many days, and then stands still."""
    return [*range(500_000, 500_000 + days_of_growth + 1), *[500_000 + days_of_growth] * still]


def of_all(base: list[int], hypertension: list[int], diabetes: list[int]) -> list[HealthDay]:
    return [HealthDay(*row) for row in zip(ALL[-len(base) :], base, hypertension, diabetes, strict=True)]


def sometimes(still: int) -> list[HealthDay]:
    """Grows every third day only, and not for the last `still` days."""
    return [HealthDay(day, 500_000 + 10 * (min(n, len(ALL) - 1 - still) // 3), None, None) for n, day in enumerate(ALL)]


CASES = [
    Case("1 grows every day", unit(), {}),
    Case(
        "2 falls today",
        unit(health=totals(500_000, 499_000)),
        {"totals_fell": {"since": TODAY, "before": 500_000, "now": 499_000}},
    ),
    Case(
        "3 fell days ago, and grows from there",
        unit(health=totals(499_000, 499_010, 499_020)),
        {"totals_fell": {"since": TODAY - DAY * 2}},
    ),
    Case("4 fell and came back", unit(health=totals(499_000, 500_010)), {}),
    Case("5 stands still for two days", unit(health=totals(*[500_000] * 2)), {}),
    Case(
        "6 stands still for six days, and never did before",
        unit(health=totals(*[500_000] * 6)),
        {"totals_stand_still": {"total": "base", "value": 500_000}},
    ),
    Case("7 grows now and then, and stands still for a week", unit(health=sometimes(7)), {}),
    Case("8 a day without a snapshot", unit(health=totals(500_010, None, 500_030)), {}),
    Case("9 small totals may stand still for ever", unit(health=[HealthDay(day, 331, 0, 0) for day in ALL]), {}),
    Case(
        "10 a large one not, while the others grow",
        unit(health=[HealthDay(day, 331_000, 0, 0) for day in ALL]),
        {"totals_stand_still": {}},
    ),
    Case(
        "11 three snapshots",
        unit(health=[HealthDay(date(2024, 9, 28) + DAY * n, 5, 5, 5) for n in range(3)]),
        {},
        {("totals_stand_still", None)},
    ),
    Case("12 ten snapshots", unit(health=of_days(*growing(9, 0))), {}, {("totals_stand_still", None)}),
    Case("13 eleven", unit(health=of_days(*growing(10, 0))), {}),
    Case(
        "14 fell, came back, and fell again",
        unit(health=totals(499_000, 500_000, 499_000)),
        {"totals_fell": {"since": TODAY, "before": 500_000}},
    ),
    Case(
        "15 fell to half",
        unit(health=of_all([*growing(20, 0)], [9_000] * 20 + [4_500], [50] * 20 + [49])),
        {"totals_fell": {"total": "hypertension", "before": 9_000, "now": 4_500}},
    ),
    Case(
        "16 only hypertension is told, and falls",
        unit(health=[HealthDay(day, None, 9_000 - n // 20, None) for n, day in enumerate(ALL)]),
        {"totals_fell": {"total": "hypertension"}},
    ),
    Case(
        "17 only hypertension is told, and stands still",
        unit(health=[HealthDay(day, None, min(n, 50), None) for n, day in enumerate(ALL)]),
        {"totals_stand_still": {"total": "hypertension", "days": 6}},
    ),
    Case("18 falls day by day, and does not stand still", unit(health=totals(*range(499_999, 499_991, -1))), {"totals_fell": {}}),
    Case("19 is gone, and there is nothing that stands still", unit(health=totals(*[0] * 8)), {"totals_fell": {"now": 0}}),
    Case("20 grew on ten days, and stands still for five", unit(health=of_days(*growing(10, 5))), {"totals_stand_still": {}}),
    Case("21 grew on fourteen days, and stands still for four", unit(health=of_days(*growing(14, 4))), {}),
    Case(
        "22 grew on all but one of fourteen days, and stands still for six",
        unit(health=of_days(500_000, *growing(13, 6))),
        {"totals_stand_still": {"days": 6}},
    ),
    Case(
        "23 grew on all but one of fourteen days, and stands still for five", unit(health=of_days(500_000, *growing(13, 5))), {}
    ),
    Case(
        "24 stood still for six days a month ago, and does so now for five",
        unit(health=of_days(*growing(22, 6), *[value + 23 for value in growing(22, 5)])),
        {},
    ),
    Case(
        "25 the one that stands still for longest is told",
        unit(health=of_all(growing(20, 8), growing(22, 6), growing(28, 0))),
        {"totals_stand_still": {"total": "base", "days": 8}},
    ),
    Case("26 ten thousand for four weeks", unit(health=of_days(*[10_000] * 29)), {"totals_stand_still": {"days": 28}}),
    Case("27 less than ten thousand", unit(health=of_days(*[9_999] * 29)), {}),
    Case("28 less than four weeks", unit(health=of_days(*[10_000] * 28)), {}),
]


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_totals(case: Case, snapshot: SnapshotAssertion) -> None:
    check(case, FAMILY, snapshot)


STILL = unit(health=of_days(*[10_000] * 29))
GREW_ONCE = unit(1, health=of_days(10_000, *[10_001] * 29))
GREW_TODAY = unit(2, health=of_days(*[10_000] * 29, 10_001))
STILL_TOO = unit(3, health=of_days(*[10_000] * 29))


def test_most_of_three_is_two(snapshot: SnapshotAssertion) -> None:
    """Who has ten snapshots only is none of them."""
    young = unit(4, health=of_days(*[10_000] * 10))
    check(Case("", STILL, {"totals_stand_still": {}}), FAMILY, snapshot, GREW_ONCE, GREW_TODAY, young, peers=0)


def test_half_are_not_most(snapshot: SnapshotAssertion) -> None:
    check(Case("", STILL, {}), FAMILY, snapshot, GREW_ONCE, GREW_TODAY, STILL_TOO, peers=0)


def test_two_are_no_city_to_be_compared_with(snapshot: SnapshotAssertion) -> None:
    check(Case("", GREW_ONCE, {}), FAMILY, snapshot, GREW_TODAY, peers=0)
