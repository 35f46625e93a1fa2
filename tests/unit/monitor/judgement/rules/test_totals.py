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
]


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_totals(case: Case, snapshot: SnapshotAssertion) -> None:
    check(case, FAMILY, snapshot)
