"""The evaluation of every rule for every unit. Core: facts in, verdicts out."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from monitor.judgement.facts import CityFacts
from monitor.judgement.rules import FAMILIES, RANK
from monitor.judgement.rules.everywhere import merge_everywhere
from monitor.judgement.rules.verdict import NotEnoughHistory, Verdict
from monitor.judgement.rules.volume import city_shifts
from schemas.events import UnitId
from schemas.register import Life

Key = tuple[str, str | None, str | None]
"""Rule, unit, feed: what a finding is about. Two verdicts with one key are the same finding."""


@dataclass(frozen=True)
class Judged:
    """What holds now, worst first, of one rule in the register's order, and what cannot be told yet (it changes nothing)."""

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
    return Judged(sorted(merged, key=lambda found: RANK[found.rule]), frozenset(unknown))
