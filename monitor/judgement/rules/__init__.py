"""Every rule, worst first, and the evaluation of all of them. Core: facts in, verdicts out.

The order is the rank: where two rules speak of one unit, the first one leads.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from monitor.judgement.facts import CityFacts
from monitor.judgement.rules import (
    contradictions,
    copies,
    dead_parts,
    ladder,
    missing_days,
    numbers_and_clocks,
    plausibility,
    silence,
    totals,
    volume,
)
from monitor.judgement.rules.everywhere import FAMILY as EVERYWHERE
from monitor.judgement.rules.everywhere import merge_everywhere
from monitor.judgement.rules.verdict import Family, NotEnoughHistory, Rule, Verdict
from monitor.judgement.rules.volume import city_shifts
from schemas.events import UnitId
from schemas.register import Life

FAMILIES: Final[Sequence[Family]] = (
    silence.FAMILY,
    EVERYWHERE,
    dead_parts.FAMILY,
    volume.FAMILY,
    copies.FAMILY,
    plausibility.FAMILY,
    totals.FAMILY,
    contradictions.FAMILY,
    numbers_and_clocks.FAMILY,
    missing_days.FAMILY,
    ladder.FAMILY,
)
RULES: Final[Sequence[Rule]] = tuple(rule for family in FAMILIES for rule in family.rules)
RANK: Final[Mapping[str, int]] = {rule.name: rank for rank, rule in enumerate(RULES, 1)}
"""The number of each rule; 1 is the worst."""

Key = tuple[str, str | None, str | None]
"""Rule, unit, feed: what a finding is about. Two verdicts with one key are the same finding."""


@dataclass(frozen=True)
class Judged:
    """What holds now, worst first, and what cannot be told yet (it neither opens nor closes anything)."""

    verdicts: Sequence[Verdict]
    unknown: frozenset[Key]


def key_of(verdict: Verdict) -> Key:
    """What the verdict is about."""
    return verdict.rule, verdict.unit_id, verdict.feed


def evaluate(city: CityFacts, only: Collection[UnitId] | None = None) -> Judged:
    """Judge every unit (or `only` some, with all the others as their peers) by every rule; same facts, same verdicts."""
    city = replace(city, shifts=city_shifts(city))
    verdicts: dict[Key, Verdict] = {}
    unknown: set[Key] = set()
    for unit in city.units:
        if unit.unit.life_on(city.today) is not Life.ACTIVE or (only is not None and unit.unit.unit_id not in only):
            continue  # of whom nothing is expected nothing is found
        for family in FAMILIES:
            for check in family.checks:
                for outcome in check(unit, city):
                    if isinstance(outcome, NotEnoughHistory):
                        unknown.add((outcome.rule, unit.unit.unit_id, outcome.feed))
                    elif outcome.feed is None or unit.unit.expects(outcome.feed, city.today):
                        verdicts.setdefault(key_of(outcome), outcome)
    merged = merge_everywhere(list(verdicts.values()), city)
    order: dict[UnitId | None, int] = {unit.unit.unit_id: place for place, unit in enumerate(city.units)}
    ranked = sorted(merged, key=lambda found: (RANK[found.rule], order.get(found.unit_id, -1), found.feed or ""))
    return Judged(ranked, frozenset(unknown))
