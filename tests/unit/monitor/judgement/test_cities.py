"""The rules on simulated cities: labelled faults are found in time, ordinary units are left alone."""

from datetime import date
from random import Random
from typing import Final

import pytest

from monitor.judgement.rules import RANK
from monitor.judgement.rules.evaluation import evaluate
from monitor.judgement.rules.verdict import Severity
from schemas.register import Register
from tests.unit.monitor.judgement.cities import DAY, KINDS, Fault, SimulatedCity

FIRST: Final = date(2024, 3, 1)
LENGTH: Final = 56
START: Final = date(2024, 4, 15)
FAULTED: Final = ("dead_tables", "empty_uploads", "same_content", "sudden_drop", "surge", "revenue_without_visits", "totals_fell")
QINGMING: Final = frozenset({date(2024, 4, 4), date(2024, 4, 5), date(2024, 4, 6), date(2024, 4, 7)})


@pytest.mark.parametrize("seed", [11, 12])
def test_faults_are_found_within_two_own_days_and_nobody_else_is(register: Register, seed: int) -> None:
    city = SimulatedCity(register, 12, FIRST, LENGTH, seed, QINGMING)
    daily = [unit_id for unit_id, habits in city.habits.items() if habits.weekend and habits.lag == 1]
    chosen = Random(seed).sample(daily, min(len(daily), len(FAULTED)))
    city.faults = [Fault(kind, unit_id, START, 5) for kind, unit_id in zip(FAULTED, chosen, strict=False)]
    city.play()
    found: set[tuple[str, str | None]] = set()
    for age in range(4):
        judged = evaluate(city.at(START + DAY * age))
        told = [verdict for verdict in judged.verdicts if verdict.severity is not Severity.SUMMARY]
        found |= {(verdict.rule, verdict.unit_id) for verdict in told}
    assert {(fault.kind, fault.unit_id) for fault in city.faults} <= found
    assert {unit_id for _, unit_id in found} <= {fault.unit_id for fault in city.faults}


def test_the_simulated_kinds_are_kinds_of_the_rules() -> None:
    assert set(KINDS) <= RANK.keys()
