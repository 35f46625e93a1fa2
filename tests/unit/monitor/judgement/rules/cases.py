"""A case of a rule's table: what a unit does, and which rules of the family speak. A changed case needs a reason.

What they say, to the word, is golden: `__snapshots__` holds it by case. After a wanted change `pytest --snapshot-update` writes
it anew; read the difference before it is committed.
"""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from syrupy.assertion import SnapshotAssertion

from monitor.counting.feeds import Feed
from monitor.judgement.facts import UnitFacts
from monitor.judgement.rules.evaluation import evaluate
from monitor.judgement.rules.verdict import Family
from tests.unit.monitor.judgement.steady import city


class Case(NamedTuple):
    """`found`: by rule, what its verdict has to say (evidence values, or `since`). `untold`: rule and feed that wait."""

    name: str
    unit: UnitFacts
    found: Mapping[str, Mapping[str, Any]]
    untold: Collection[tuple[str, Feed | None]] = ()


def names(cases: Collection[Case]) -> list[str]:
    return [case.name for case in cases]


def check(case: Case, family: Family, snapshot: SnapshotAssertion, *others: UnitFacts, **overrides: Any) -> None:
    """The family's verdicts are exactly those of the case, and say what it says; the whole of them is the golden one.

    `others` live in the same city, as its steady peers do.
    """
    of_family = {rule.name for rule in family.rules}
    judged = evaluate(city(case.unit, *others, **overrides), {case.unit.unit.unit_id})
    found = [verdict for verdict in judged.verdicts if verdict.rule in of_family]
    assert {verdict.rule for verdict in found} == case.found.keys()
    assert {(rule, feed) for rule, _, feed in judged.unknown if rule in of_family} == set(case.untold)
    for verdict in found:
        said = {"since": verdict.since, "severity": verdict.severity, "lost": verdict.lost, **verdict.evidence}
        assert said.items() >= case.found[verdict.rule].items()
    if found:
        assert found == snapshot
