"""Every rule, worst first: which families there are, and the rank of each rule. Core.

The order is the rank: where two rules speak of one unit, the first one leads.
"""

from collections.abc import Mapping, Sequence
from typing import Final

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
from monitor.judgement.rules.verdict import Family, Rule

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
