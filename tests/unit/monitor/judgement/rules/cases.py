"""A case of a rule's table: what a unit does, and which rules of the family speak. A changed case needs a reason."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from monitor.judgement.facts import UnitFacts
from monitor.judgement.rules.verdict import Family
from tests.unit.monitor.judgement.steady import verdicts


class Case(NamedTuple):
    """`found`: by rule, what its verdict has to say (evidence values, or `since`)."""

    name: str
    unit: UnitFacts
    found: Mapping[str, Mapping[str, Any]]


def names(cases: Collection[Case]) -> list[str]:
    return [case.name for case in cases]


def check(case: Case, family: Family, **overrides: Any) -> None:
    """The family's verdicts are exactly those of the case, and say what it says."""
    of_family = {rule.name for rule in family.rules}
    found = {verdict.rule: verdict for verdict in verdicts(case.unit, **overrides) if verdict.rule in of_family}
    assert found.keys() == case.found.keys()
    for rule, said in case.found.items():
        verdict = found[rule]
        assert {
            **verdict.evidence,
            "since": verdict.since,
            "severity": verdict.severity,
            "lost": verdict.lost,
        }.items() >= said.items()
        assert verdict.what.zh
        assert verdict.what.en
        assert verdict.ask.zh
        assert verdict.ask.en
